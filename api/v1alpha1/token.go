package v1alpha1

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MinTokenLength is the least number of characters of a plaintext token; a shorter one could be guessed.
const MinTokenLength = 32

// TokenFingerprint is what may be known of a token without knowing the token.
//
// +kubebuilder:object:generate=false
type TokenFingerprint struct {
	// SHA256 is the token's hash.
	SHA256 [sha256.Size]byte
	// LastFour is the token's last four characters; empty when the Secret does not say.
	LastFour string
}

// SecretData is the data of a Secret that holds the token's hash instead of the token.
func (f TokenFingerprint) SecretData() map[string][]byte {
	return map[string][]byte{
		TokenSecretHashKey:     []byte(hex.EncodeToString(f.SHA256[:])),
		TokenSecretLastFourKey: []byte(f.LastFour),
	}
}

// FingerprintOf is what may be known of a token of at least four characters.
func FingerprintOf(token string) TokenFingerprint {
	return TokenFingerprint{SHA256: sha256.Sum256([]byte(token)), LastFour: token[len(token)-4:]}
}

// ReadTokenSecret reads the type and data of a Secret as a token. The error says what to change in the Secret and never
// holds a part of the token.
func ReadTokenSecret(secretType string, data map[string][]byte) (TokenFingerprint, error) {
	if secretType != TokenSecretType {
		return TokenFingerprint{}, fmt.Errorf("its type is %q, not %q", secretType, TokenSecretType)
	}
	plain, hasPlain := data[TokenSecretKey]
	digest, hasDigest := data[TokenSecretHashKey]
	switch {
	case hasPlain && hasDigest:
		return TokenFingerprint{}, fmt.Errorf("it has both %s and %s; keep one of them", TokenSecretKey, TokenSecretHashKey)
	case hasPlain:
		// Editors and `echo` leave a line end that nobody means as part of a token.
		token := strings.TrimSpace(string(plain))
		if len(token) < MinTokenLength {
			return TokenFingerprint{}, fmt.Errorf("its %s has fewer than %d characters", TokenSecretKey, MinTokenLength)
		}
		return FingerprintOf(token), nil
	case hasDigest:
		var f TokenFingerprint
		raw, err := hex.DecodeString(strings.TrimSpace(string(digest)))
		if err != nil || len(raw) != sha256.Size {
			return TokenFingerprint{}, fmt.Errorf("its %s is not a SHA-256 in 64 hexadecimal digits", TokenSecretHashKey)
		}
		copy(f.SHA256[:], raw)
		if last := strings.TrimSpace(string(data[TokenSecretLastFourKey])); len(last) == 4 && isPrintable(last) {
			f.LastFour = last
		}
		return f, nil
	default:
		return TokenFingerprint{}, errors.New("it has neither " + TokenSecretKey + " nor " + TokenSecretHashKey)
	}
}

func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// Allows says whether the token has the scope.
func (t *DirectoryToken) Allows(scope TokenScope) bool {
	return t.Scopes == nil || slices.Contains(t.Scopes, scope)
}
