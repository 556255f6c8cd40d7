package runscope

import (
	"crypto/rand"
	"math/big"
	"strings"
)

const (
	lowerCase = "abcdefghijklmnopqrstuvwxyz"
	digits    = "0123456789"
)

// Variables are the values that Okta's acceptance test starts from: where the
// server is, the Authorization header to send, and a fresh person whom the
// server cannot know.
func Variables(baseURL, authorization string) map[string]string {
	given := "Runscope" + random(digits, 3)
	family := strings.ToUpper(random(lowerCase, 1)) + random(lowerCase, 8) + random(digits, 3)
	email := given + family + "@atko.com"
	return map[string]string{
		"SCIMBaseURL":            strings.TrimSuffix(baseURL, "/"),
		"auth":                   authorization,
		"randomGivenName":        given,
		"randomFamilyName":       family,
		"randomEmail":            email,
		"randomUsername":         email,
		"randomUsernameCaps":     strings.ToUpper(email),
		"InvalidUserEmail":       "abcdefgh@atko.com",
		"UserIdThatDoesNotExist": "010101001010101011001010101011",
	}
}

func random(alphabet string, length int) string {
	var out strings.Builder
	for range length {
		// crypto/rand never fails: it ends the process if the system has no randomness.
		n, _ := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		out.WriteByte(alphabet[n.Int64()])
	}
	return out.String()
}
