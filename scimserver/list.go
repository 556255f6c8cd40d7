package scimserver

import (
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

// list is what a client asks of a collection (RFC 7644 §3.4.2), or of several at once.
type list struct {
	parts []part

	startIndex int // from 1; 0 where the client pages by cursor
	count      int
	byCursor   bool
	cursor     string // empty on the first page
}

// part is what a list has of one resource type.
type part struct {
	resourceType *schema.ResourceType
	filter       *filter.Filter // nil: everything
	order        *filter.Order  // nil: in order of creation
	projection   *schema.Projection
}

// parseList reads the parameters of a query on resources of the given types. It ignores those that it does not know.
// It returns a *schema.Error that names the parameter.
func parseList(types []*schema.ResourceType, parameters url.Values) (*list, error) {
	for _, name := range []string{"filter", "sortBy", "sortOrder", "startIndex", "count", "cursor"} {
		if n := len(parameters[name]); n > 1 {
			return nil, schema.Errorf(schema.InvalidValue, "%s is given %d times: send it once", name, n)
		}
	}
	l := &list{}
	if err := l.parsePaging(parameters); err != nil {
		return nil, err
	}
	for i, rt := range types {
		p, err := parsePart(rt, slices.Concat(types[:i], types[i+1:]), parameters)
		if err != nil {
			return nil, err
		}
		l.parts = append(l.parts, p)
	}
	return l, nil
}

// parsePaging clamps what is out of bounds (RFC 7644 §3.4.2.4), except that a page by cursor cannot be empty (RFC 9865
// §2.1).
func (l *list) parsePaging(parameters url.Values) (err error) {
	if l.startIndex, err = integer(parameters, "startIndex", 1); err != nil {
		return err
	}
	l.byCursor, l.cursor = parameters.Has("cursor"), parameters.Get("cursor")
	l.count, err = integer(parameters, "count", defaultCount)
	switch {
	case l.byCursor && parameters.Has("startIndex"):
		return schema.Errorf(schema.InvalidValue, "cursor and startIndex exclude each other: send one of them")
	case l.byCursor && (err != nil || l.count < 1):
		return schema.Errorf(schema.InvalidCount, "count must be an integer between 1 and %d", maxCount)
	case err != nil:
		return err
	case l.byCursor:
		l.startIndex = 0
	default:
		l.startIndex = max(l.startIndex, 1)
	}
	l.count = min(max(l.count, 0), maxCount)
	return nil
}

func parsePart(rt *schema.ResourceType, others []*schema.ResourceType, parameters url.Values) (p part, err error) {
	p.resourceType = rt
	if text := parameters.Get("filter"); strings.TrimSpace(text) != "" {
		if p.filter, err = filter.Parse(rt, text, others...); err != nil {
			return p, err
		}
	}
	if sortBy := parameters.Get("sortBy"); strings.TrimSpace(sortBy) != "" {
		if p.order, err = filter.ParseOrder(rt, sortBy, parameters.Get("sortOrder"), others...); err != nil {
			return p, err
		}
	}
	p.projection, err = rt.Projection(parameters["attributes"], parameters["excludedAttributes"])
	return p, err
}

// integer reads a number. One beyond the range of int is as good as the largest.
func integer(parameters url.Values, name string, otherwise int) (int, error) {
	text := parameters.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, schema.Errorf(schema.InvalidValue, "%s must be an integer", name)
	}
	return n, nil
}

// key returns the first of the indexed attributes that every match must equal, so that not all resources are visited.
func (p part) key(indexed ...string) *store.Key {
	if p.filter == nil {
		return nil
	}
	for _, attribute := range indexed {
		if value, ok := p.filter.Equality(attribute); ok {
			return &store.Key{Attribute: attribute, Value: value}
		}
	}
	return nil
}

// uses reports whether filter or order look at one of the attributes.
func (p part) uses(attributes ...string) bool {
	return slices.ContainsFunc(attributes, func(a string) bool {
		return p.filter != nil && p.filter.Uses(a) || p.order != nil && p.order.Uses(a)
	})
}

// subject returns what filter and order look at: the resource, or its tree where they use what the directory declares, which
// is in the tree alone.
func (p part) subject() func(store.Resource) any {
	if !slices.ContainsFunc(p.resourceType.Declared(), func(s *schema.Schema) bool { return p.uses(s.ID) }) {
		return func(resource store.Resource) any { return resource }
	}
	return func(resource store.Resource) any {
		tree, err := store.Tree(resource)
		if err != nil {
			return resource // what cannot be written as JSON has no extension
		}
		return p.resourceType.Recase(tree)
	}
}

// listResources is GET of a collection.
func listResources(q *request) (*response, error) {
	return q.list(q.query)
}

// list answers a list request, wherever its parameters stood.
func (q *request) list(parameters url.Values) (*response, error) {
	l, err := parseList(q.listedTypes(), parameters)
	if err != nil {
		return nil, err
	}
	query := q.storeQuery(l)
	made := ""
	if l.byCursor {
		made = fingerprint(q.credential.Namespace, q.credential.Directory, q.route.pattern,
			parameters.Get("filter"), parameters.Get("sortBy"), parameters.Get("sortOrder"))
	}
	if l.cursor != "" {
		if query.After, err = parseCursor(made, l.cursor, q.started); err != nil {
			return nil, err
		}
	}
	page, err := q.directory.List(q.Context(), query)
	if err != nil {
		return nil, err
	}
	answer := listed{total: page.Total, startIndex: l.startIndex}
	if l.byCursor && page.Last != nil {
		answer.nextCursor = newCursor(made, *page.Last, q.started)
	}
	return replyList(answer, page.Len(), func(b []byte, i int) ([]byte, error) {
		resource, err := page.Resource(q.Context(), i)
		if err != nil {
			return nil, err
		}
		return appendShown(b, resource, q.locate(l, resource).projection)
	})
}

func (q *request) storeQuery(l *list) store.Query {
	query := store.Query{Start: max(l.startIndex-1, 0), Count: l.count}
	for _, p := range l.parts {
		if p.order != nil {
			query.Compare = p.order.Compare
		}
		switch p.resourceType.Name {
		case schema.User.Name:
			query.Users = q.userQuery(p)
		case schema.Group.Name:
			query.Groups = q.groupQuery(p)
		}
	}
	return query
}

// locate says where a resource of a list is, and returns what the list asks for of its type.
func (q *request) locate(l *list, resource store.Resource) part {
	var resourceType string
	switch r := resource.(type) {
	case *store.User:
		q.locateUser(r)
		resourceType = r.Meta.ResourceType
	case *store.Group:
		q.locateGroup(r)
		resourceType = r.Meta.ResourceType
	}
	isMeant := func(p part) bool { return p.resourceType.Name == resourceType }
	return l.parts[slices.IndexFunc(l.parts, isMeant)]
}

// listed is what a ListResponse says beside its Resources. A page by cursor has no startIndex; only the last one has no
// nextCursor.
type listed struct {
	total, startIndex int
	nextCursor        string
}

// replyList answers with a ListResponse of count Resources, an array even when there are none. Each is appended by
// appendResource, right to the body.
func replyList(l listed, count int, appendResource func(b []byte, i int) ([]byte, error)) (*response, error) {
	b := append(emptyBody(), `{"schemas":["`+schema.ListResponseURN+`"],"totalResults":`...)
	b = strconv.AppendInt(b, int64(l.total), 10)
	if l.startIndex > 0 {
		b = append(b, `,"startIndex":`...)
		b = strconv.AppendInt(b, int64(l.startIndex), 10)
	}
	b = append(b, `,"itemsPerPage":`...)
	b = strconv.AppendInt(b, int64(count), 10)
	if l.nextCursor != "" {
		b = append(b, `,"nextCursor":"`+l.nextCursor+`"`...) // letters, digits, - and _
	}
	b = append(b, `,"Resources":[`...)
	for i := range count {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendResource(b, i); err != nil {
			return nil, err
		}
	}
	return &response{status: http.StatusOK, header: http.Header{}, body: append(b, "]}\n"...)}, nil
}
