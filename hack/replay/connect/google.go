package connect

import (
	"context"
	"net/http"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// google asks for one user, whoever that is.
func google(c *provider.Client) []provider.Act {
	return []provider.Act{once("test the connection", func(ctx context.Context) error {
		a, err := c.Send(ctx, http.MethodGet, provider.Users+"?count=1", nil)
		if err != nil {
			return err
		}
		_, err = a.Page(1, 1)
		return err
	})}
}
