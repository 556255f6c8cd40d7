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
	actions      map[string]action    // by method; nil for what is known but not supported
}

// me stands for the person who is authenticated (RFC 7644 §3.11). Our tokens stand for no person.
const me = "Me"

// endpoints holds all of RFC 7644 §3.2 by the pattern of their route.
var endpoints = map[string]*endpoint{
	"Users": {schema.User, map[string]action{
		http.MethodGet:  listUsers,
		http.MethodPost: createUser,
	}},
	"Users/{id}": {schema.User, map[string]action{
		http.MethodGet:    getUser,
		http.MethodPut:    replaceUser,
		http.MethodPatch:  patchUser,
		http.MethodDelete: deleteUser,
	}},
	"Groups": {schema.Group, map[string]action{
		http.MethodGet:  listGroups,
		http.MethodPost: createGroup,
	}},
	"Groups/{id}": {schema.Group, map[string]action{
		http.MethodGet:    getGroup,
		http.MethodPut:    replaceGroup,
		http.MethodPatch:  patchGroup,
		http.MethodDelete: deleteGroup,
	}},
	"Schemas":               {nil, map[string]action{http.MethodGet: listSchemas}},
	"Schemas/{id}":          {nil, map[string]action{http.MethodGet: getSchema}},
	"ResourceTypes":         {nil, map[string]action{http.MethodGet: listResourceTypes}},
	"ResourceTypes/{id}":    {nil, map[string]action{http.MethodGet: getResourceType}},
	"ServiceProviderConfig": {nil, map[string]action{http.MethodGet: getServiceProviderConfig}},

	"Bulk": {nil, map[string]action{http.MethodPost: bulk}},

	me: {}, search: {}, "Users/" + search: {}, "Groups/" + search: {},
}

// action returns what the endpoint does on the request's method.
func (q *request) action() (action, error) {
	switch {
	case q.endpoint == nil:
		return nil, errNoEndpoint
	case q.route.pattern == me:
		return nil, errMe
	case q.endpoint.actions == nil:
		return nil, errNotImplemented
	}
	method := q.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http leaves the body out
	}
	act, ok := q.endpoint.actions[method]
	if !ok {
		return nil, errMethod(strings.Join(slices.Sorted(maps.Keys(q.endpoint.actions)), ", "))
	}
	return act, nil
}
