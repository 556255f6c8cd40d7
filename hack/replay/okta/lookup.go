package okta

import (
	"context"
	"fmt"
	"net/http"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

const importCount = 100 // resources on one page of an import or a lookup

// TestCredentials is the "Test API Credentials" button.
func (t *Tenant) TestCredentials(ctx context.Context) error {
	if _, err := t.page(ctx, provider.Users, 1, 2); err != nil {
		return err
	}
	_, err := t.page(ctx, provider.Groups, 1, importCount)
	return err
}

// ImportUsers reads all users, page by page.
func (t *Tenant) ImportUsers(ctx context.Context) ([]provider.Resource, error) {
	return t.importAll(ctx, provider.Users, "userName")
}

// ImportGroups reads all groups, page by page.
func (t *Tenant) ImportGroups(ctx context.Context) ([]provider.Resource, error) {
	return t.importAll(ctx, provider.Groups, "displayName")
}

// importAll needs every resource exactly once, whatever page it is on.
func (t *Tenant) importAll(ctx context.Context, endpoint, named string) ([]provider.Resource, error) {
	var all []provider.Resource
	seen := map[string]bool{}
	total := -1
	for start := 1; total < 0 || start <= total; start = len(all) + 1 {
		p, err := t.page(ctx, endpoint, start, importCount)
		if err != nil {
			return nil, err
		}
		refuse := func(got, need string) error {
			return &provider.Refusal{Provider: self, Request: fmt.Sprintf("GET %s from startIndex %d", endpoint, start), Answer: got, Need: need}
		}
		if total >= 0 && p.Total != total {
			return nil, refuse(fmt.Sprintf("totalResults %d", p.Total), fmt.Sprintf("the %d of the page before", total))
		}
		total = p.Total
		for _, r := range p.Resources {
			if seen[r.ID()] {
				return nil, refuse("the resource "+r.ID()+" a second time", "each once: pages in a stable order")
			}
			if name, _ := r[named].(string); name == "" {
				return nil, refuse(fmt.Sprintf("the resource %s whose %s is %s", r.ID(), named, provider.Text(r[named])), "a non-empty string")
			}
			seen[r.ID()] = true
		}
		all = append(all, p.Resources...)
	}
	return all, nil
}

func (t *Tenant) page(ctx context.Context, endpoint string, startIndex, count int) (provider.Page, error) {
	a, err := t.client().Send(ctx, http.MethodGet, fmt.Sprintf("%s?startIndex=%d&count=%d", endpoint, startIndex, count), nil)
	if err != nil {
		return provider.Page{}, err
	}
	return a.Page(startIndex, count)
}

// find looks for the one resource whose attribute has the value; nil if there
// is none.
func (t *Tenant) find(ctx context.Context, endpoint, attribute, value string) (provider.Resource, error) {
	path := fmt.Sprintf("%s&startIndex=1&count=%d", provider.Filtered(endpoint, provider.Equals(attribute, value)), importCount)
	return t.client().Find(ctx, path, importCount, attribute, value)
}
