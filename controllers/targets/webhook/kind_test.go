package webhook

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

func secretOf(bytes int) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", bytes)))
}

func TestSecretsAreRead(t *testing.T) {
	for value, want := range map[string]int{
		secretOf(24): 1, secretOf(64) + "\n": 1, secretOf(32) + "  " + secretOf(40): 2,
		"": 0, " ": 0, secretOf(23): 0, secretOf(65): 0, "whsec_": 0, "secret": 0, "whsec_%%%%": 0,
		strings.TrimPrefix(secretOf(32), "whsec_"): 0, secretOf(32) + " short": 0, secretOf(32) + "," + secretOf(32): 0,
	} {
		signers, err := signersOf("hook", []byte(value))
		if len(signers) != want {
			t.Errorf("%q has %d secrets, not %d", value, len(signers), want)
		}
		if _, invalid := errors.AsType[*targets.Invalid](err); invalid != (want == 0) {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// FuzzSecrets reads what somebody put into a Secret: it is either all good, or refused without a word of it in the message.
func FuzzSecrets(f *testing.F) {
	f.Add([]byte(secretOf(32)))
	f.Add([]byte(secretOf(24) + " " + secretOf(64)))
	f.Add([]byte("whsec_\x00 whsec_AAAA"))
	f.Fuzz(func(t *testing.T, value []byte) {
		signers, err := signersOf("hook", value)
		if err != nil && (len(signers) > 0 || err.Error() != noSecret("hook").Error()) {
			t.Errorf("%q: %v", value, err)
		}
		if err == nil && len(signers) != len(strings.Fields(string(value))) {
			t.Errorf("%q has %d secrets", value, len(signers))
		}
	})
}
