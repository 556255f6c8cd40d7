package main

import (
	"fmt"
	"maps"
	"slices"
)

// verdict is what is known of each role's rights.
type verdict struct {
	roles []role
	// used is by a role's name.
	used     map[string]map[right]bool
	refusals map[string]bool
}

func newVerdict(roles []role) *verdict {
	v := &verdict{roles: roles, used: map[string]map[right]bool{}, refusals: map[string]bool{}}
	for _, r := range roles {
		v.used[r.name] = map[right]bool{}
	}
	return v
}

// hear takes in what one control plane was asked. A request proves that a role needs a right if its user has that right by no
// other role: who has all the operator's roles may have used either.
func (v *verdict) hear(requests []request) {
	has := map[string]map[string]bool{} // the roles of each user
	for _, r := range requests {
		if has[r.user] == nil {
			has[r.user] = map[string]bool{}
		}
		has[r.user][r.role] = true
		if r.refusal != "" {
			v.refusals[r.user+" was refused: "+r.refusal] = true
		}
	}
	for _, r := range requests {
		for _, needed := range r.rights {
			if r.refusal != "" {
				continue
			}
			var by []string
			for _, role := range v.roles {
				// Of who acts as somebody else the API server notes what role that one had.
				had := has[r.user][role.name] || needed.verb == impersonate
				if had && slices.Contains(role.rights, needed) {
					by = append(by, role.name)
				}
			}
			if len(by) == 1 {
				v.used[by[0]][needed] = true
			}
		}
	}
}

// complaints are what is wrong with the roles, each with what to do.
func (v *verdict) complaints() []error {
	var all []error
	for _, refusal := range slices.Sorted(maps.Keys(v.refusals)) {
		all = append(all, fmt.Errorf("rights: %s: give it the right by a marker +kubebuilder:rbac beside the code, or do not ask", refusal))
	}
	for _, role := range v.roles {
		for _, r := range role.rights {
			if !v.used[role.name][r] {
				all = append(all, fmt.Errorf("rights: role %s may %s, and no test needs it: take the right away, or test what needs it", role.name, r))
			}
		}
	}
	return all
}
