package okta

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// Options say what Run plays, and against which server.
type Options struct {
	BaseURL string
	Token   string
	Apps    []App // one after the other; each pushes its own share
	Users   int   // people pushed, at least two per app
	Groups  int   // groups pushed, at most the demo's five
	HTTP    *http.Client
}

// Run plays the demo: it tests the credentials, imports, pushes people and
// groups, renames, moves members, lets people go and come back, and verifies
// that the server holds all of it. A second run on the same server finds the
// people of the first and updates them. It stops at the first answer that Okta
// would refuse and returns that *provider.Refusal, or the error of a request
// without an answer, under the app and the act it happened in. A nil progress is fine.
func Run(ctx context.Context, o Options, progress func(provider.Event)) error {
	if err := o.validate(); err != nil {
		return err
	}
	for i, r := range cast(o.Users, o.Groups, len(o.Apps)) {
		tenant := &Tenant{BaseURL: o.BaseURL, Token: o.Token, App: o.Apps[i], HTTP: o.HTTP}
		if err := newPlay(tenant, r).run(ctx, progress); err != nil {
			return fmt.Errorf("%s app, %w", tenant.App, err)
		}
	}
	return nil
}

func (o Options) validate() error {
	if o.BaseURL == "" || o.Token == "" {
		return errors.New("the SCIM base URL and the token are both needed")
	}
	if len(o.Apps) == 0 {
		return errors.New("no app to play")
	}
	for _, app := range o.Apps {
		if app != Catalogue && app != Wizard {
			return fmt.Errorf("app %q: want %s or %s", app, Catalogue, Wizard)
		}
	}
	if least := 2 * len(o.Apps); o.Users < least {
		return fmt.Errorf("%d users: want at least %d, two for each app", o.Users, least)
	}
	if o.Groups < 0 || o.Groups > len(plannedGroups) {
		return fmt.Errorf("%d groups: want 0 to %d", o.Groups, len(plannedGroups))
	}
	return nil
}
