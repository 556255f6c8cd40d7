package connect

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// rippling wants to know what the server can do, and looks a user up by its own
// id before it creates one.
func rippling(c *provider.Client) []provider.Act {
	user, externalID := newUser(c), uuid.NewString()
	return []provider.Act{
		once("read the configuration", func(ctx context.Context) error { return readConfiguration(ctx, c) }),
		once("look a user up", func(ctx context.Context) error { return user.absent(ctx, "externalId", externalID) }),
		once("create the user", func(ctx context.Context) error {
			sent := provider.Resource{"externalId": externalID}
			return user.create(ctx, sent, sent)
		}),
		once("look the user up again", func(ctx context.Context) error {
			path := provider.Filtered(user.endpoint, provider.Equals("externalId", externalID))
			found, err := c.Find(ctx, path, provider.AnyCount, "externalId", externalID)
			if err == nil && found.ID() != user.id {
				return &provider.Refusal{Provider: c.Name, Request: "GET " + path, Answer: "the resource " + provider.Text(found["id"]), Need: user.id}
			}
			return err
		}),
		once("delete the user", user.delete),
	}
}

// readConfiguration wants every feature of RFC 7643 §5 to say whether it is
// supported.
func readConfiguration(ctx context.Context, c *provider.Client) error {
	a, err := c.Send(ctx, http.MethodGet, "/ServiceProviderConfig", nil)
	if err != nil {
		return err
	}
	if err := a.Want(http.StatusOK); err != nil {
		return err
	}
	configuration, err := a.Object()
	if err != nil {
		return err
	}
	for _, name := range []string{"patch", "bulk", "filter", "changePassword", "sort", "etag"} {
		feature, _ := configuration[name].(map[string]any)
		if _, isBoolean := feature["supported"].(bool); !isBoolean {
			return a.Refuse(name+".supported "+provider.Text(feature["supported"]), "true or false")
		}
	}
	return nil
}
