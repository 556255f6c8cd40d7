package scimserver

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// action does what an endpoint is there for. It returns an error for everything that is no success.
type action func(*request) (*response, error)

// endpoint is what can be done at a path.
type endpoint struct {
	resourceType *schema.ResourceType // nil for what is not stored
	actions      map[string]action    // by method
}

// me stands for the person who is authenticated (RFC 7644 §3.11). Our tokens stand for no person.
const me = "Me"

// endpoints holds all of RFC 7644 §3.2 by the pattern of their route.
var endpoints = map[string]*endpoint{
	"Users": {schema.User, map[string]action{
		http.MethodGet:  listResources,
		http.MethodPost: createUser,
	}},
	"Users/{id}": {schema.User, map[string]action{
		http.MethodGet:    getUser,
		http.MethodPut:    replaceUser,
		http.MethodPatch:  patchUser,
		http.MethodDelete: deleteUser,
	}},
	"Groups": {schema.Group, map[string]action{
		http.MethodGet:  listResources,
		http.MethodPost: createGroup,
	}},
	"Groups/{id}": {schema.Group, map[string]action{
		http.MethodGet:    getGroup,
		http.MethodPut:    replaceGroup,
		http.MethodPatch:  patchGroup,
		http.MethodDelete: deleteGroup,
	}},
	search:             {nil, map[string]action{http.MethodPost: searchResources}},
	"Users/" + search:  {schema.User, map[string]action{http.MethodPost: searchResources}},
	"Groups/" + search: {schema.Group, map[string]action{http.MethodPost: searchResources}},

	"Schemas":               {nil, map[string]action{http.MethodGet: listSchemas}},
	"Schemas/{id}":          {nil, map[string]action{http.MethodGet: getSchema}},
	"ResourceTypes":         {nil, map[string]action{http.MethodGet: listResourceTypes}},
	"ResourceTypes/{id}":    {nil, map[string]action{http.MethodGet: getResourceType}},
	"ServiceProviderConfig": {nil, map[string]action{http.MethodGet: getServiceProviderConfig}},

	"Bulk": {nil, map[string]action{http.MethodPost: bulk}},

	me: {},
}

// action returns what the endpoint does on the request's method.
func (q *request) action() (action, error) {
	switch {
	case q.endpoint == nil:
		return nil, errNoEndpoint
	case q.route.pattern == me:
		return nil, errMe
	}
	allow := q.endpoint.allow()
	method := q.Method
	switch method {
	case http.MethodOptions:
		return func(*request) (*response, error) { return replyAllow(allow) }, nil
	case http.MethodHead:
		method = http.MethodGet // net/http leaves the body out
	}
	act, ok := q.endpoint.actions[method]
	if !ok {
		return nil, errMethod(allow)
	}
	return act, nil
}

// allow lists the methods of an endpoint as the header Allow does (RFC 9110 §10.2.1).
func (e *endpoint) allow() string {
	methods := slices.Sorted(maps.Keys(e.actions))
	if _, ok := e.actions[http.MethodGet]; ok {
		methods = append(methods, http.MethodHead)
	}
	return strings.Join(append(methods, http.MethodOptions), ", ")
}

func replyAllow(allow string) (*response, error) {
	r, err := reply(http.StatusNoContent, nil)
	if err != nil {
		return nil, err
	}
	r.header.Set("Allow", allow)
	return r, nil
}
