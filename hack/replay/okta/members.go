package okta

import (
	"fmt"
	"slices"
	"strings"
)

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

// checkMembers compares the sets: the order of members means nothing.
func (g Group) checkMembers(a answer, stored Resource) error {
	elements, isArray := stored["members"].([]any)
	if !isArray && stored["members"] != nil {
		return a.refuse("a group whose members is "+text(stored["members"]), "an array")
	}
	var found []string
	for _, element := range elements {
		member, _ := element.(map[string]any)
		id, _ := member["value"].(string)
		found = append(found, id)
	}
	want := ids(g.Members)
	slices.Sort(found)
	slices.Sort(want)
	if slices.Equal(want, found) {
		return nil
	}
	return a.refuse(
		fmt.Sprintf("%d members, without [%s], with [%s]", len(found), without(want, found), without(found, want)),
		fmt.Sprintf("the %d members that were pushed", len(want)))
}

func without(all, some []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(some, id) }), " ")
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
