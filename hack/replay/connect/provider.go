package connect

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// Provider is one identity provider that can be played.
type Provider struct {
	Name  string // as it calls itself
	About string // what it does, in a line

	mediaType string // what it sends, and asks for in Accept
	acts      func(*provider.Client) []provider.Act
}

// Providers are all that can be played.
var Providers = []Provider{
	{"OneLogin", "look for nobody, then create and suspend a user with active as a string", plainJSON, oneLogin},
	{"JumpCloud", "create, update and delete a test user and a test group", scimJSON, jumpCloud},
	{"CyberArk", "read resource types and schemas one by one", scimJSON, cyberArk},
	{"Rippling", "read the service provider's configuration, look a user up by externalId", scimJSON, rippling},
	{"Google", "read one user", plainJSON, google},
	// Keycloak has no SCIM client of its own: this is what its plugins do.
	{"Keycloak", "add hundreds of members at once, send a value as JSON in a string", scimJSON, keycloak},
}

const (
	scimJSON  = "application/scim+json"
	plainJSON = "application/json"
)

// Options say against which server to play.
type Options struct {
	BaseURL string
	Token   string
	HTTP    *http.Client
}

// Run plays the provider. It stops at the first answer that the provider would
// refuse and returns that *provider.Refusal, or the error of a request without
// an answer, under the act it happened in. A nil progress is fine.
func (p Provider) Run(ctx context.Context, o Options, progress func(provider.Event)) error {
	if o.BaseURL == "" || o.Token == "" {
		return errors.New("the SCIM base URL and the token are both needed")
	}
	client := &provider.Client{Name: p.Name, BaseURL: o.BaseURL, Token: o.Token, HTTP: o.HTTP, Header: http.Header{
		"Accept":       {p.mediaType},
		"Content-Type": {p.mediaType},
	}}
	if err := provider.Play(ctx, p.Name, p.acts(client), progress); err != nil {
		return fmt.Errorf("%s, %w", p.Name, err)
	}
	return nil
}

// once is an act of one step.
func once(name string, step func(ctx context.Context) error) provider.Act {
	return provider.Act{Name: name, Steps: 1, Step: func(ctx context.Context, _ int) error { return step(ctx) }}
}
