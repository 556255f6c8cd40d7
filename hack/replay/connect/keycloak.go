package connect

import (
	"context"
	"net/http"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

const crowd = 200 // members of one PATCH

// keycloak pushes the members of a group in one operation, however many. Some
// of its plugins send a value that is JSON inside a string: that must be
// refused, and change nothing.
func keycloak(c *provider.Client) []provider.Act {
	group := newGroup(c)
	people, ids := make([]*guest, crowd), make([]string, crowd)
	for i := range people {
		people[i] = newUser(c)
	}
	return []provider.Act{
		{Name: "create people", Steps: crowd, Step: func(ctx context.Context, i int) error {
			err := people[i].create(ctx, nil, nil)
			ids[i] = people[i].id
			return err
		}},
		once("create a group", func(ctx context.Context) error { return group.create(ctx, nil, nil) }),
		once("add them all at once", func(ctx context.Context) error {
			members := make([]any, crowd)
			for i, id := range ids {
				members[i] = map[string]any{"value": id}
			}
			if _, _, err := c.Patch(ctx, group.endpoint, group.id, provider.Operation{Op: "add", Path: "members", Value: members}); err != nil {
				return err
			}
			return group.hasMembers(ctx, ids...)
		}),
		once("send JSON in a string", func(ctx context.Context) error {
			a, err := c.Send(ctx, http.MethodPatch, provider.At(group.endpoint, group.id),
				provider.Patch(provider.Operation{Op: "replace", Value: `{"members":[]}`}))
			if err != nil {
				return err
			}
			if err := a.Failed(http.StatusBadRequest, "invalidValue"); err != nil {
				return err
			}
			return group.hasMembers(ctx, ids...)
		}),
		once("delete the group", group.delete),
		{Name: "delete people", Steps: crowd, Step: func(ctx context.Context, i int) error { return people[i].delete(ctx) }},
	}
}
