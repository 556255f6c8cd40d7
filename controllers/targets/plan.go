package targets

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Plan is what is to be changed in a system, in the order in which it is done.
type Plan struct {
	Revoke, Grant []Grant
}

// MakePlan is the difference between what is wanted and what was observed. What others made is not made again, unless the
// target adopts it; what is blocked is left out, as are additions for those whom the system does not know yet.
func MakePlan(w Wanted, o *Observation, adopt bool) Plan {
	revocable := func(g Grant) bool {
		obstacle, blocked := o.Blocked[g.Entitlement]
		return !blocked || obstacle.Revocable
	}
	missing := func(g Grant) bool {
		_, blocked := o.Blocked[g.Entitlement]
		return !blocked && (adopt || !o.Others.Has(g)) && o.missing(g) == ""
	}
	return Plan{Revoke: o.Ours.with(o.Unseen).without(w.Grants, revocable), Grant: w.Grants.without(o.Ours, missing)}
}

// missing says why a subject cannot be granted anything yet.
func (o *Observation) missing(g Grant) string {
	if o.Missing == nil {
		return ""
	}
	return o.Missing(g.Subject)
}

// awaited counts the people who are wanted in a system that does not know them yet, and says why for one of them.
func awaited(w Wanted, o *Observation) (n int, why string) {
	counted := map[string]bool{}
	for g := range w.Grants {
		if reason := o.missing(g); reason != "" && !counted[g.Subject] && !o.Ours.Has(g) && !o.Others.Has(g) {
			counted[g.Subject] = true
			if why == "" || reason < why {
				why = reason // of several the same one each time
			}
		}
	}
	return len(counted), why
}

// foreign counts the wanted grants that are there because others made them.
func foreign(w Wanted, o *Observation) int {
	n := 0
	for g := range o.Others {
		if w.Grants.Has(g) && !o.Ours.Has(g) {
			n++
		}
	}
	return n
}

// except leaves changes out.
func (p Plan) except(aside Grants) Plan {
	return Plan{slices.DeleteFunc(p.Revoke, aside.Has), slices.DeleteFunc(p.Grant, aside.Has)}
}

// Size is how many changes there are.
func (p Plan) Size() int { return len(p.Revoke) + len(p.Grant) }

// maxLine bounds a line in bytes, as the status does.
const maxLine = 512

// Lines are the first n changes in words.
func (p Plan) Lines(n int) []string {
	var lines []string
	p.each(func(sign byte, g Grant) bool {
		line := fmt.Sprintf("%c %s: %s", sign, printable(g.Subject), printable(g.Entitlement))
		if len(line) > maxLine {
			cut := maxLine
			for !utf8.RuneStart(line[cut]) {
				cut--
			}
			line = line[:cut] + "…"
		}
		lines = append(lines, line)
		return len(lines) < n
	})
	return lines
}

// printable shows what a terminal would take for a command, or not show, as the replacement character.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// Hash is the SHA-256 of all changes, in hexadecimal: two plans with the same hash are the same.
func (p Plan) Hash() string {
	h := sha256.New()
	p.each(func(sign byte, g Grant) bool {
		fmt.Fprintf(h, "%c%d:%s%d:%s", sign, len(g.Subject), g.Subject, len(g.Entitlement), g.Entitlement)
		return true
	})
	return hex.EncodeToString(h.Sum(nil))
}

// each visits the changes in order, until it is told to stop.
func (p Plan) each(visit func(sign byte, g Grant) bool) {
	for _, g := range p.Revoke {
		if !visit('-', g) {
			return
		}
	}
	for _, g := range p.Grant {
		if !visit('+', g) {
			return
		}
	}
}

// drift is what others changed since the last look: grants of ours that are gone, and grants that look like ours but are
// not among those that we made.
func drift(before, now *Observation) int {
	n := 0
	for g := range before.Ours {
		if !now.Ours.Has(g) {
			n++
		}
	}
	for g := range now.Ours {
		if !before.Ours.Has(g) {
			n++
		}
	}
	return n
}
