package openshiftgroups

import (
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

var groupKind = schema.GroupVersionKind{Group: "user.openshift.io", Version: "v1", Kind: "Group"}

// usersField is in the root of a Group: it has no spec.
const usersField = "users"

// maxUsers bounds a Group's users in bytes of JSON. An object of 1.5 MiB is more than the API server stores.
const maxUsers = 1 << 20

// group is a Group, perhaps one that is yet to be made.
type group struct {
	object *unstructured.Unstructured
	users  []string
}

func newGroup(name string) *group {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(groupKind)
	o.SetName(name)
	return &group{object: o}
}

// take reads the users out of the object. It returns a Refused when there is something else in their place.
func (g *group) take() error {
	users, _, err := unstructured.NestedStringSlice(g.object.Object, usersField)
	if g.object.Object[usersField] != nil && err != nil {
		return targets.Refuse("%s: users is not a list of names", g)
	}
	g.users = users
	return nil
}

// having is the Group with other users.
func (g *group) having(users []string) (*group, error) {
	content, err := json.Marshal(users)
	if err != nil {
		return nil, err
	}
	if len(content) > maxUsers && len(users) > len(g.users) {
		return nil, targets.Refuse("%s has %d users, and would be larger than the API server stores with %d more: give the role to "+
			"fewer people, or divide it into several roles, each with a Group of its own", g, len(g.users), len(users)-len(g.users))
	}
	next := &group{object: g.object.DeepCopy(), users: users}
	return next, unstructured.SetNestedStringSlice(next.object.Object, users, usersField)
}

// String is the Group in words.
func (g *group) String() string { return "Group " + g.object.GetName() }

func (g *group) exists() bool { return g.object.GetResourceVersion() != "" }

// with are the users, and these people, in order.
func (g *group) with(names []string) []string {
	users := slices.Concat(g.users, names)
	slices.Sort(users)
	return slices.Compact(users)
}

// without are the users but for these people.
func (g *group) without(names []string) []string {
	gone := map[string]bool{}
	for _, name := range names {
		gone[name] = true
	}
	return slices.DeleteFunc(slices.Clone(g.users), func(user string) bool { return gone[user] })
}
