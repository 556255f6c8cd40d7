package v1alpha1

import (
	"crypto/rand"
	"hash/crc32"
	"math/big"
	"strings"
)

const (
	tokenPrefix = "scimop_"
	base62      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// secretDigits base62 digits hold 256 bits; checksumDigits hold 32.
	secretDigits, checksumDigits = 43, 6
)

// NewToken makes a bearer token: a prefix that secret scanners know, 256 random bits, and a checksum by which they tell a
// token from text that only looks like one.
func NewToken() string {
	var random [32]byte
	rand.Read(random[:])
	body := tokenPrefix + inBase62(new(big.Int).SetBytes(random[:]), secretDigits)
	return body + tokenChecksum(body)
}

func tokenChecksum(body string) string {
	return inBase62(new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE([]byte(body)))), checksumDigits)
}

// inBase62 writes n with exactly that many digits; n must fit.
func inBase62(n *big.Int, digits int) string {
	out := []byte(strings.Repeat("0", digits))
	base, digit, rest := big.NewInt(int64(len(base62))), new(big.Int), new(big.Int).Set(n)
	for i := digits - 1; i >= 0; i-- {
		rest.DivMod(rest, base, digit)
		out[i] = base62[digit.Int64()]
	}
	return string(out)
}
