package okta

import (
	"net/http"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

const self = "Okta"

// Tenant is one Okta tenant with one app. Its methods are Okta's provisioning
// actions; each returns a *provider.Refusal when the server answers what Okta
// does not accept, and another error when there was no answer.
type Tenant struct {
	BaseURL       string       // the SCIM base URL, with or without a slash at its end
	Token         string       // sent as a bearer token
	Authorization string       // what the administrator pasted under "HTTP Header"; empty: Token is sent
	Identifier    string       // the "unique identifier field for users"; empty: userName
	App           App          // how this tenant writes
	HTTP          *http.Client // nil: a client that waits as long as Okta does
}

func (t *Tenant) client() *provider.Client {
	return &provider.Client{Name: self, BaseURL: t.BaseURL, Token: t.Token, Authorization: t.Authorization, HTTP: t.HTTP, Header: http.Header{
		"Accept":         {"application/scim+json"},
		"Accept-Charset": {"utf-8"},
		"Content-Type":   {"application/scim+json; charset=utf-8"},
		"User-Agent":     {"Okta SCIM Client 1.0.0"},
	}}
}
