package argocd

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	errCharacters = errors.New("a name that a line of Argo CD's policy cannot hold: one with a comma, a quote or a character that " +
		"cannot be printed, or that begins or ends with a space, or begins with #")
	errReserved = errors.New("a name that Argo CD keeps for roles and for everybody: one that begins with role: or proj:, or is *")
	errNoEmail  = errors.New("an email that is no e-mail address, for Argo CD may know a group by it")
)

// checkSubject says whether a line can hold a name so that Argo CD reads the same name, and no role's: a person who was
// called like a role would hand everything that is theirs to all who have that role.
func checkSubject(name string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	switch {
	case name == "" || !utf8.ValidString(name) || strings.ContainsAny(name, `,"`) || strings.ContainsFunc(name, unprintable),
		strings.TrimSpace(name) != name, strings.HasPrefix(name, "#"):
		return errCharacters
	case name == "*" || strings.HasPrefix(name, "role:") || strings.HasPrefix(name, "proj:"):
		return errReserved
	default:
		return nil
	}
}

// checkEmail is checkSubject for an e-mail address. Argo CD tells the names of groups and people apart by nothing, so that a
// line for an address without an @ may be one for a group.
func checkEmail(address string) error {
	if !strings.Contains(address, "@") {
		return errNoEmail
	}
	return checkSubject(address)
}
