package scimserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/scim-operator/scim-operator/scimserver/filter"
	"github.com/scim-operator/scim-operator/scimserver/schema"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

const (
	defaultCount = 100
	maxCount     = 500
)

// list is what a client asks of a collection (RFC 7644 §3.4.2).
type list struct {
	filter     *filter.Filter // nil: everything
	startIndex int            // from 1
	count      int
}

// parseList reads filter, startIndex and count; other parameters, sortBy among them, are ignored.
// It returns a *schema.Error that names the parameter.
func parseList(rt *schema.ResourceType, query url.Values) (list, error) {
	l := list{}
	text, err := single(query, "filter")
	if err != nil {
		return l, err
	}
	if strings.TrimSpace(text) != "" {
		if l.filter, err = filter.Parse(rt, text); err != nil {
			return l, err
		}
	}
	if l.startIndex, err = integer(query, "startIndex", 1); err != nil {
		return l, err
	}
	if l.count, err = integer(query, "count", defaultCount); err != nil {
		return l, err
	}
	l.startIndex = max(l.startIndex, 1)
	l.count = min(max(l.count, 0), maxCount)
	return l, nil
}

// integer reads a number. One beyond the range of int is as good as the largest.
func integer(query url.Values, name string, otherwise int) (int, error) {
	text, err := single(query, name)
	if err != nil || text == "" {
		return otherwise, err
	}
	n, err := strconv.Atoi(text)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, schema.Errorf(schema.InvalidValue, "%s must be an integer", name)
	}
	return n, nil
}

func single(query url.Values, name string) (string, error) {
	if len(query[name]) > 1 {
		return "", schema.Errorf(schema.InvalidValue, "%s is given %d times: send it once", name, len(query[name]))
	}
	return query.Get(name), nil
}

// key returns the first of the indexed attributes that every match must equal, so that not all resources are visited.
func (l list) key(indexed ...string) *store.Key {
	if l.filter == nil {
		return nil
	}
	for _, attribute := range indexed {
		if value, ok := l.filter.Equality(attribute); ok {
			return &store.Key{Attribute: attribute, Value: value}
		}
	}
	return nil
}

func (l list) uses(attribute string) bool {
	return l.filter != nil && l.filter.Uses(attribute)
}

// matcher returns what reports whether the list's filter is true of a resource. What a directory declares is in the tree of
// the resource alone, which is built only for a filter that asks for it.
func (q *request) matcher(l list) func(json.Marshaler) bool {
	if !slices.ContainsFunc(q.resourceType.Declared(), func(s *schema.Schema) bool { return l.uses(s.ID) }) {
		return func(resource json.Marshaler) bool { return l.filter.Match(resource) }
	}
	return func(resource json.Marshaler) bool {
		tree, err := q.tree(resource)
		return err == nil && l.filter.Match(tree)
	}
}

// replyPage answers with a page of resources, and with how many there are in all.
func replyPage[T json.Marshaler](q *request, l list, page []T, total int) (*response, error) {
	shown := make([]any, len(page))
	for i, resource := range page {
		var err error
		if shown[i], err = q.show(resource); err != nil {
			return nil, err
		}
	}
	return replyList(shown, total, l.startIndex)
}

// replyList answers with a ListResponse. Its Resources are an array even when there are none.
func replyList(resources []any, total, startIndex int) (*response, error) {
	return reply(http.StatusOK, struct {
		Schemas      []string `json:"schemas"`
		TotalResults int      `json:"totalResults"`
		StartIndex   int      `json:"startIndex"`
		ItemsPerPage int      `json:"itemsPerPage"`
		Resources    []any    `json:"Resources"`
	}{[]string{schema.ListResponseURN}, total, startIndex, len(resources), resources})
}
