package entra

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// Options say what Run plays, and against which server.
type Options struct {
	BaseURL  string
	Token    string
	Dialects []Dialect // one after the other; each pushes its own share
	Users    int       // people pushed, at least two per dialect
	Groups   int       // groups pushed
	HTTP     *http.Client
}

// Run plays Entra ID from the test of the connection to deletions, and
// verifies that the server holds what it should. A second run on the same
// server finds the people and the groups of the first. It stops at the first
// answer that Entra ID would refuse and returns that *provider.Refusal, or the
// error of a request without an answer, under the dialect and the act it
// happened in. A nil progress is fine.
func Run(ctx context.Context, o Options, progress func(provider.Event)) error {
	if err := o.validate(); err != nil {
		return err
	}
	for i, dialect := range o.Dialects {
		tenant := &Tenant{BaseURL: o.BaseURL, Token: o.Token, Dialect: dialect, HTTP: o.HTTP}
		var people []Person
		for n := i; n < o.Users; n += len(o.Dialects) {
			people = append(people, person(n))
		}
		var names []string
		for n := i; n < o.Groups; n += len(o.Dialects) {
			names = append(names, fmt.Sprint("Team ", n+1))
		}
		if err := provider.Play(ctx, string(dialect), newPlay(tenant, people, names).acts(), progress); err != nil {
			return fmt.Errorf("%s dialect, %w", dialect, err)
		}
	}
	return nil
}

func (o Options) validate() error {
	if o.BaseURL == "" || o.Token == "" {
		return errors.New("the SCIM base URL and the token are both needed")
	}
	if len(o.Dialects) == 0 {
		return errors.New("no dialect to play")
	}
	for _, dialect := range o.Dialects {
		if dialect != Legacy && dialect != Compliant {
			return fmt.Errorf("dialect %q: want %s or %s", dialect, Legacy, Compliant)
		}
	}
	if least := 2 * len(o.Dialects); o.Users < least {
		return fmt.Errorf("%d users: want at least %d, two for each dialect", o.Users, least)
	}
	if o.Groups < 0 {
		return fmt.Errorf("%d groups: want 0 or more", o.Groups)
	}
	return nil
}
