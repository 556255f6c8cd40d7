package v1alpha1

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
)

func TestNewToken(t *testing.T) {
	shape := regexp.MustCompile(`^scimop_[0-9A-Za-z]{49}$`)
	seen := map[string]bool{}
	for range 1000 {
		token := NewToken()
		if !shape.MatchString(token) {
			t.Fatalf("%q is not of the shape %s", token, shape)
		}
		if seen[token] {
			t.Fatalf("%q came twice", token)
		}
		seen[token] = true
		body, sum := token[:len(token)-checksumDigits], token[len(token)-checksumDigits:]
		if tokenChecksum(body) != sum {
			t.Fatalf("%q does not end in its checksum", token)
		}
		if tokenChecksum(strings.Replace(body, "scimop_", "scimop-", 1)) == sum {
			t.Fatalf("the checksum of %q does not cover its prefix", token)
		}
		if _, err := ReadTokenSecret(TokenSecretType, map[string][]byte{"token": []byte(token)}); err != nil {
			t.Fatalf("a new token is refused: %v", err)
		}
	}
}

func TestInBase62(t *testing.T) {
	largest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	for _, c := range []struct {
		n      *big.Int
		digits int
		want   string
	}{
		{big.NewInt(0), 3, "000"},
		{big.NewInt(61), 2, "0z"},
		{big.NewInt(62), 2, "10"},
		{big.NewInt(1<<32 - 1), 6, "4gfFC3"},
	} {
		if got := inBase62(c.n, c.digits); got != c.want {
			t.Errorf("inBase62(%v, %d) = %q, want %q", c.n, c.digits, got, c.want)
		}
	}
	if inBase62(largest, secretDigits)[0] == '0' {
		t.Errorf("256 bits do not need all %d digits", secretDigits)
	}
}
