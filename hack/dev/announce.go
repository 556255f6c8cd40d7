package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// writeEnv writes the file whose presence means that the server serves; a shell can source it.
func writeEnv(path string, end endpoint, kubeconfig, metricsURL string) error {
	return writeFile(path, fmt.Appendf(nil, "SCIM_BASE_URL=%s\nSCIM_TOKEN=%s\nKUBECONFIG=%s\nMETRICS_URL=%s\n",
		quote(end.baseURL), quote(end.token), quote(kubeconfig), quote(metricsURL)))
}

// writeFile puts the content there at once, for this user alone: it holds credentials.
func writeFile(path string, content []byte) error {
	partial := path + ".partial"
	if err := os.WriteFile(partial, content, 0o600); err != nil {
		return err
	}
	return os.Rename(partial, path)
}

// quote returns the word as a shell reads it back, unchanged if it is plain.
func quote(word string) string {
	special := func(r rune) bool {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:=,+@%", r)
		return !plain
	}
	if word == "" || strings.ContainsFunc(word, special) {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// welcome tells the user where the server is and what to try.
func welcome(out io.Writer, s settings, end endpoint, c *cluster) {
	here := func(path string) string {
		if relative, err := filepath.Rel(s.root, path); err == nil && filepath.IsLocal(relative) {
			return quote(relative)
		}
		return quote(path)
	}
	fmt.Fprintf(out, `
SCIM base URL  %[1]s
Token          %[2]s
Cluster        %[7]s
Logs           %[3]s

Create a user, as an identity provider does:
  curl -sS -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/scim+json' -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"givenName":"Ada","familyName":"Lovelace"},"emails":[{"value":"ada@example.com","type":"work","primary":true}],"active":true}' %[1]s/Users

See what it became:
  KUBECONFIG=%[4]s %[5]s get scim -n %[6]s

Watch a whole company being provisioned (in another terminal):
  make demo

Interrupt (Ctrl-C) stops everything; the state stays for the next time.
`, end.baseURL, end.token, here(filepath.Join(s.dir, "operator.log")), here(c.kubeconfig), here(c.kubectl), sampleNamespace, c.config.Host)
}
