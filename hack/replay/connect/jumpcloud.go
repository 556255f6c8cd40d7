package connect

import (
	"context"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// jumpCloud makes a test user and a test group, puts the one into the other,
// and deletes both.
func jumpCloud(c *provider.Client) []provider.Act {
	user, group := newUser(c), newGroup(c)
	return []provider.Act{
		once("look for the test user", user.missing),
		once("create the test user", func(ctx context.Context) error {
			return user.create(ctx, provider.Resource{
				"schemas": []string{provider.UserSchema}, "active": true, "displayName": "Jump Cloud",
				"name":   map[string]any{"givenName": "Jump", "familyName": "Cloud"},
				"emails": []any{map[string]any{"value": user.name, "type": "work", "primary": true}},
			}, provider.Resource{"active": true})
		}),
		once("update the test user", func(ctx context.Context) error {
			changed := provider.Resource{"displayName": "Cloud Jump", "active": false}
			return user.update(ctx, changed, changed)
		}),
		once("look for the test group", group.missing),
		once("create the test group", func(ctx context.Context) error {
			return group.create(ctx, provider.Resource{"schemas": []string{provider.GroupSchema}}, nil)
		}),
		once("add the user to it", func(ctx context.Context) error {
			member := []any{map[string]any{"value": user.id}}
			if _, _, err := c.Patch(ctx, group.endpoint, group.id, provider.Operation{Op: "add", Path: "members", Value: member}); err != nil {
				return err
			}
			return group.hasMembers(ctx, user.id)
		}),
		once("delete the test group", group.delete),
		once("delete the test user", user.delete),
	}
}
