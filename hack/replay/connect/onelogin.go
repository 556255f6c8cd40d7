package connect

import (
	"context"
	"net/http"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// oneLogin reads and writes application/json, sends active as a string, and an
// id that is null with a new user.
func oneLogin(c *provider.Client) []provider.Act {
	user := newUser(c)
	return []provider.Act{
		once("test the connection", func(ctx context.Context) error {
			a, err := c.Send(ctx, http.MethodGet, provider.Filtered(provider.Users, provider.Equals("userName", user.name)), nil)
			if err != nil {
				return err
			}
			if err := a.OfType(plainJSON); err != nil {
				return err
			}
			return user.missing(ctx)
		}),
		once("create a user", func(ctx context.Context) error {
			return user.create(ctx, provider.Resource{
				"schemas": []string{provider.UserSchema}, "id": nil, "active": "true",
				"name": map[string]any{"givenName": "Olga", "familyName": "Login"},
			}, provider.Resource{"active": true})
		}),
		once("suspend the user", func(ctx context.Context) error {
			return user.update(ctx, provider.Resource{"active": "false"}, provider.Resource{"active": false})
		}),
		once("delete the user", user.delete),
	}
}
