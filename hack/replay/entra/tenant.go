package entra

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

const self = "Entra ID"

// Tenant is one Entra tenant with one enterprise app. Its methods are the
// actions of the provisioning service; each returns a *provider.Refusal when
// the server answers what Entra ID does not accept, and another error when
// there was no answer.
type Tenant struct {
	BaseURL string       // the tenant URL, without the compliance flag
	Token   string       // the secret token
	Dialect Dialect      // how this tenant writes
	HTTP    *http.Client // nil: a client that waits for a minute
}

func (t *Tenant) client() *provider.Client {
	return &provider.Client{Name: self, BaseURL: t.BaseURL, Token: t.Token, Query: t.Dialect.query(), HTTP: t.HTTP, Header: http.Header{
		"Accept":       {"application/scim+json"},
		"Content-Type": {"application/scim+json; charset=utf-8"},
	}}
}

// TestConnection is the button of that name: it looks for a user and a group
// that cannot exist, and wants empty lists.
func (t *Tenant) TestConnection(ctx context.Context) error {
	nobody := uuid.NewString()
	if err := t.wantNone(ctx, provider.Filtered(provider.Users, provider.Equals("userName", nobody))); err != nil {
		return err
	}
	return t.wantNone(ctx, groupsNamed(nobody))
}

func (t *Tenant) wantNone(ctx context.Context, path string) error {
	a, p, err := t.list(ctx, path)
	if err == nil && p.Total > 0 {
		return a.Refuse(provider.Text(p.Total)+" resources", "none")
	}
	return err
}

// wantOnly wants the one resource that the path selects.
func (t *Tenant) wantOnly(ctx context.Context, path, id string) error {
	a, p, err := t.list(ctx, path)
	if err != nil {
		return err
	}
	if p.Total != 1 || p.Resources[0].ID() != id {
		return a.Refuse(provider.Text(p.Total)+" resources, or another", "the resource "+id+" alone")
	}
	return nil
}

func (t *Tenant) list(ctx context.Context, path string) (provider.Answer, provider.Page, error) {
	a, err := t.client().Send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return provider.Answer{}, provider.Page{}, err
	}
	p, err := a.Page(1, provider.AnyCount)
	return a, p, err
}
