package okta

import "slices"

// Member is a user in a pushed group. Okta sends no type.
type Member struct {
	ID      string `json:"value"`
	Display string `json:"display"`
}

// with is the list after a change; who is in already is not added twice.
func (g Group) with(add, remove []Member) []Member {
	var members []Member
	for _, m := range append(slices.Clone(g.Members), add...) {
		gone := slices.Contains(ids(remove), m.ID) && !slices.Contains(ids(add), m.ID)
		if !gone && !slices.Contains(ids(members), m.ID) {
			members = append(members, m)
		}
	}
	return members
}

func ids(members []Member) []string {
	list := make([]string, 0, len(members))
	for _, m := range members {
		list = append(list, m.ID)
	}
	return list
}

// listed is never null in JSON.
func listed(members []Member) []Member {
	if members == nil {
		return []Member{}
	}
	return members
}
