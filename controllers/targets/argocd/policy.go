package argocd

import (
	"slices"
	"strings"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

// otherLine is the entitlement of a line that is not one of a subject and a role. The target writes none, so one that stands
// in its policy is taken back. Its subject is the line itself.
const otherLine = "a line that is not of this target"

const linePrefix, lineSeparator = "g, ", ", "

// policy is the content of a key: its lines as grants.
type policy targets.Grants

// parse reads a policy, whoever wrote it. It loses nothing but blank lines and repetitions.
func parse(text string) policy {
	p := policy{}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) != "" {
			targets.Grants(p).Add(grantIn(line))
		}
	}
	return p
}

func grantIn(line string) targets.Grant {
	if rest, is := strings.CutPrefix(line, linePrefix); is {
		if subject, role, is := strings.Cut(rest, lineSeparator); is && !strings.Contains(role, ",") && role != otherLine {
			return targets.Grant{Subject: subject, Entitlement: role}
		}
	}
	return targets.Grant{Subject: line, Entitlement: otherLine}
}

func lineOf(g targets.Grant) string {
	if g.Entitlement == otherLine {
		return g.Subject
	}
	return linePrefix + g.Subject + lineSeparator + g.Entitlement
}

// String is the text of a policy, the same for the same lines. Nothing is the empty string.
func (p policy) String() string {
	lines := make([]string, 0, len(p))
	for g := range p {
		lines = append(lines, lineOf(g)+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// with are the lines and further ones, as many as fit into so many bytes, and which these are.
func (p policy) with(grants []targets.Grant, bytes int) (next policy, fit []targets.Grant) {
	next = p.without(nil)
	bytes -= len(p.String())
	for _, g := range grants {
		if !targets.Grants(next).Has(g) {
			n := len(lineOf(g)) + 1
			if n > bytes {
				continue
			}
			bytes -= n
			targets.Grants(next).Add(g)
		}
		fit = append(fit, g)
	}
	return next, fit
}

// without are the lines but for these.
func (p policy) without(grants []targets.Grant) policy {
	next := make(policy, len(p))
	for g := range p {
		next[g] = struct{}{}
	}
	for _, g := range grants {
		delete(next, g)
	}
	return next
}
