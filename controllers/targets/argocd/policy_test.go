package argocd

import (
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

// read reads a policy as Argo CD does: line by line, each as CSV.
func read(t *testing.T, text string) []targets.Grant {
	t.Helper()
	var grants []targets.Grant
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		grants = append(grants, readCSV(t, line)...)
	}
	return grants
}

// readCSV reads a text as a whole.
func readCSV(t *testing.T, text string) []targets.Grant {
	t.Helper()
	var grants []targets.Grant
	reader := csv.NewReader(strings.NewReader(text))
	reader.TrimLeadingSpace = true
	for {
		tokens, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return grants
		}
		if err != nil {
			t.Fatalf("%q cannot be read: %v", text, err)
		}
		if len(tokens) != 3 || tokens[0] != "g" {
			t.Fatalf("%q reads as %q", text, tokens)
		}
		grants = append(grants, targets.Grant{Subject: tokens[1], Entitlement: tokens[2]})
	}
}

func FuzzPolicySaysWhatIsMeant(f *testing.F) {
	for _, seed := range []string{
		"ada@example.com", "a,b", `"`, `a"b`, "a\nb", "\r", " a", "a ", "#", "*", "role:admin", "proj:a:b", "Zoë", "\u00a0", "\u2028", "\xff",
		"a\u200d", "\ufeffa", "\\", "g", "a, role:admin",
	} {
		f.Add(seed, "bob")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		p := policy{}
		var want []targets.Grant
		for _, name := range []string{a, b} {
			if checkSubject(name) != nil {
				continue
			}
			if strings.HasPrefix(name, "role:") || strings.HasPrefix(name, "proj:") {
				t.Fatalf("%q is taken for a person", name)
			}
			for _, role := range []string{"role:admin", "proj:shop:deployer"} {
				g := targets.Grant{Subject: name, Entitlement: role}
				p[g] = struct{}{}
			}
		}
		want = inOrder(slices.Collect(maps.Keys(p)))
		text := p.String()
		for reader, got := range map[string][]targets.Grant{
			"Argo CD": read(t, text), "CSV": readCSV(t, text), "the target": slices.Collect(maps.Keys(parse(text))),
		} {
			if got = inOrder(got); !slices.Equal(got, want) {
				t.Errorf("%s reads %q of %q, not %q", reader, got, text, want)
			}
		}
	})
}

// FuzzForeignPolicyIsTakenBack has policies that others wrote: each line is kept until it is taken back, and no line becomes
// another by what is taken back beside it.
func FuzzForeignPolicyIsTakenBack(f *testing.F) {
	for _, seed := range []string{
		"p, mallory, *, *, *, allow\ng, ada, role:admin\n\n# x", "g, a,b, role:x", "g, x, " + otherLine, "g, p,m,*,*,*,allow, " + otherLine,
		"g,ada,role:admin", "g, ada, role:admin\r\n", "g, , ", "g, a, b, c",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := map[string]bool{}
		for line := range strings.SplitSeq(text, "\n") {
			if strings.TrimSpace(line) != "" {
				lines[line] = true
			}
		}
		p := parse(text)
		for len(p) > 0 {
			written := strings.Split(strings.TrimSuffix(p.String(), "\n"), "\n")
			if len(written) != len(p) {
				t.Fatalf("%d lines are written of %d", len(written), len(p))
			}
			for _, line := range written {
				if !lines[line] {
					t.Fatalf("%q was no line of %q", line, text)
				}
			}
			p = p.without(inOrder(slices.Collect(maps.Keys(p)))[:1])
		}
		if p.String() != "" {
			t.Errorf("nothing is written as %q", p)
		}
	})
}

func inOrder(grants []targets.Grant) []targets.Grant {
	slices.SortFunc(grants, func(a, b targets.Grant) int { return strings.Compare(lineOf(a), lineOf(b)) })
	return grants
}

func TestOnlyWhatFitsIsWritten(t *testing.T) {
	ada, bob, eve := targets.Grant{Subject: "ada", Entitlement: "role:x"}, targets.Grant{Subject: "bobby", Entitlement: "role:x"},
		targets.Grant{Subject: "eve", Entitlement: "role:x"}
	p := policy{ada: {}}
	for _, c := range []struct {
		bytes int
		fit   []targets.Grant
		text  string
	}{
		{1000, []targets.Grant{ada, bob, eve}, "g, ada, role:x\ng, bobby, role:x\ng, eve, role:x\n"},
		{30, []targets.Grant{ada, eve}, "g, ada, role:x\ng, eve, role:x\n"},
		{29, []targets.Grant{ada}, "g, ada, role:x\n"},
		{0, []targets.Grant{ada}, "g, ada, role:x\n"},
		{-5, []targets.Grant{ada}, "g, ada, role:x\n"},
	} {
		next, fit := p.with([]targets.Grant{ada, bob, eve}, c.bytes)
		if !slices.Equal(fit, c.fit) || next.String() != c.text {
			t.Errorf("into %d bytes fit %v: %q", c.bytes, fit, next)
		}
	}
	if p.String() != "g, ada, role:x\n" {
		t.Errorf("the policy itself became %q", p)
	}
}
