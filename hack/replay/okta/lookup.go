package okta

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const (
	userEndpoint  = "/Users"
	groupEndpoint = "/Groups"
	importCount   = 100 // resources on one page of an import or a lookup
)

// TestCredentials is the "Test API Credentials" button.
func (t *Tenant) TestCredentials(ctx context.Context) error {
	if _, err := t.page(ctx, userEndpoint, 1, 2); err != nil {
		return err
	}
	_, err := t.page(ctx, groupEndpoint, 1, importCount)
	return err
}

// ImportUsers reads all users, page by page.
func (t *Tenant) ImportUsers(ctx context.Context) ([]Resource, error) {
	return t.importAll(ctx, userEndpoint, "userName")
}

// ImportGroups reads all groups, page by page.
func (t *Tenant) ImportGroups(ctx context.Context) ([]Resource, error) {
	return t.importAll(ctx, groupEndpoint, "displayName")
}

// importAll needs every resource exactly once, whatever page it is on.
func (t *Tenant) importAll(ctx context.Context, endpoint, named string) ([]Resource, error) {
	var all []Resource
	seen := map[string]bool{}
	total := -1
	for start := 1; total < 0 || start <= total; start = len(all) + 1 {
		p, err := t.page(ctx, endpoint, start, importCount)
		if err != nil {
			return nil, err
		}
		refuse := func(got, need string) error {
			return &Refusal{Request: fmt.Sprintf("GET %s from startIndex %d", endpoint, start), Answer: got, Need: need}
		}
		if total >= 0 && p.total != total {
			return nil, refuse(fmt.Sprintf("totalResults %d", p.total), fmt.Sprintf("the %d of the page before", total))
		}
		total = p.total
		for _, r := range p.resources {
			if seen[r.ID()] {
				return nil, refuse("the resource "+r.ID()+" a second time", "each once: pages in a stable order")
			}
			if name, _ := r[named].(string); name == "" {
				return nil, refuse(fmt.Sprintf("the resource %s whose %s is %s", r.ID(), named, text(r[named])), "a non-empty string")
			}
			seen[r.ID()] = true
		}
		all = append(all, p.resources...)
	}
	return all, nil
}

func (t *Tenant) page(ctx context.Context, endpoint string, startIndex, count int) (page, error) {
	a, err := t.send(ctx, http.MethodGet, fmt.Sprintf("%s?startIndex=%d&count=%d", endpoint, startIndex, count), nil)
	if err != nil {
		return page{}, err
	}
	return a.page(startIndex, count)
}

// find looks for the one resource whose attribute has the value; nil if there
// is none. Names are compared without case (RFC 7643 §4.1.1, §4.2).
func (t *Tenant) find(ctx context.Context, endpoint, attribute, value string) (Resource, error) {
	filter := fmt.Sprintf(`%s eq "%s"`, attribute, quotes.Replace(value))
	path := fmt.Sprintf("%s?filter=%s&startIndex=1&count=%d", endpoint, percent(filter), importCount)
	a, err := t.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	p, err := a.page(1, importCount)
	if err != nil || p.total == 0 {
		return nil, err
	}
	if p.total > 1 {
		return nil, a.refuse(fmt.Sprintf("%d resources", p.total), "at most one")
	}
	found := p.resources[0]
	if name, _ := found[attribute].(string); !strings.EqualFold(name, value) {
		return nil, a.refuse("a resource whose "+attribute+" is "+text(found[attribute]), "only what the filter selects")
	}
	return found, nil
}

// get reads one resource by its id.
func (t *Tenant) get(ctx context.Context, endpoint, id string) (answer, Resource, error) {
	a, err := t.send(ctx, http.MethodGet, at(endpoint, id), nil)
	if err != nil {
		return answer{}, nil, err
	}
	r, err := a.about(id, http.StatusOK)
	return a, r, err
}

var quotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// percent encodes a query value with %20 for a space, as Okta does.
func percent(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

func at(endpoint, id string) string { return endpoint + "/" + url.PathEscape(id) }
