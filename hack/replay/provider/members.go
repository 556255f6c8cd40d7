package provider

import (
	"fmt"
	"slices"
	"strings"
)

// HasMembers compares the ids of a group's members as sets: their order means
// nothing.
func (a Answer) HasMembers(stored Resource, want []string) error {
	elements, isArray := stored["members"].([]any)
	if !isArray && stored["members"] != nil {
		return a.Refuse("a group whose members is "+Text(stored["members"]), "an array")
	}
	var found []string
	for _, element := range elements {
		member, _ := element.(map[string]any)
		id, _ := member["value"].(string)
		found = append(found, id)
	}
	want = slices.Sorted(slices.Values(want))
	slices.Sort(found)
	if slices.Equal(want, found) {
		return nil
	}
	return a.Refuse(
		fmt.Sprintf("%d members, without [%s], with [%s]", len(found), without(want, found), without(found, want)),
		fmt.Sprintf("the %d members that were pushed", len(want)))
}

func without(all, some []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(some, id) }), " ")
}
