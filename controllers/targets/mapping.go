package targets

// Mapping says what people are to have in a system in which each role means one or more things.
type Mapping struct {
	// Subject names a person as the system does. It returns an error, without the person's name, for somebody whom the system
	// cannot know.
	Subject func(Person) (string, error)
	// Entitlements are what a role means.
	Entitlements func(role string) []string
}

// Want are the grants of everybody who is active.
func (m Mapping) Want(people []Person) Wanted {
	w := Wanted{Grants: Grants{}}
	for _, p := range people {
		if !p.Active {
			continue
		}
		entitlements := m.of(p)
		if len(entitlements) == 0 {
			continue
		}
		subject, err := m.Subject(p)
		if err != nil {
			w.LeftOut++
			if why := err.Error(); w.Why == "" || why < w.Why {
				w.Why = why // of several the same one each time
			}
			continue
		}
		for _, e := range entitlements {
			w.Grants.Add(Grant{subject, e})
		}
	}
	return w
}

func (m Mapping) of(p Person) []string {
	var all []string
	for _, role := range p.Roles {
		all = append(all, m.Entitlements(role)...)
	}
	return all
}
