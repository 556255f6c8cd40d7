package scimserver

import (
	"net/http"
	"slices"
	"strings"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// errDiscoveryFilter is what RFC 7644 §4 demands.
var errDiscoveryFilter = failure(http.StatusForbidden, "this endpoint knows no filter")

var resourceTypes = []*schema.ResourceType{schema.User, schema.Group}

// discoveryMeta is the meta of what exists by definition: never created and never changed.
type discoveryMeta struct {
	ResourceType string `json:"resourceType"`
	Location     string `json:"location"`
}

type schemaView struct {
	Schemas []string `json:"schemas"`
	*schema.Schema
	Meta discoveryMeta `json:"meta"`
}

func (q *request) viewSchema(s *schema.Schema) schemaView {
	return schemaView{[]string{schema.SchemaURN}, s, discoveryMeta{"Schema", q.base + "/Schemas/" + s.ID}}
}

// extendedTypes are the resource types with what the directory declares.
func (q *request) extendedTypes() []*schema.ResourceType {
	extended := make([]*schema.ResourceType, len(resourceTypes))
	for i, rt := range resourceTypes {
		extended[i] = q.directory.ResourceType(rt)
	}
	return extended
}

// listedTypes are those of the resources that the endpoint lists; a search at the root goes through all that are stored.
func (q *request) listedTypes() []*schema.ResourceType {
	if q.resourceType == nil {
		return q.extendedTypes()
	}
	return []*schema.ResourceType{q.resourceType}
}

// schemas are those of all resource types, extensions included.
func (q *request) schemas() []*schema.Schema {
	var all []*schema.Schema
	for _, rt := range q.extendedTypes() {
		all = append(append(all, rt.Schema), rt.Extensions...)
	}
	return all
}

func listSchemas(q *request) (*response, error) {
	return listDefinitions(q, q.schemas(), q.viewSchema)
}

func getSchema(q *request) (*response, error) {
	return getDefinition(q.schemas(), q.viewSchema, func(s *schema.Schema) bool { return strings.EqualFold(s.ID, q.route.id) })
}

type extensionView struct {
	Schema   string `json:"schema"`
	Required bool   `json:"required"`
}

type resourceTypeView struct {
	Schemas          []string        `json:"schemas"`
	ID               string          `json:"id"`
	Name             string          `json:"name"`
	Description      string          `json:"description"`
	Endpoint         string          `json:"endpoint"`
	Schema           string          `json:"schema"`
	SchemaExtensions []extensionView `json:"schemaExtensions,omitempty"`
	Meta             discoveryMeta   `json:"meta"`
}

func (q *request) viewResourceType(rt *schema.ResourceType) resourceTypeView {
	v := resourceTypeView{
		Schemas: []string{schema.ResourceTypeURN}, ID: rt.Name, Name: rt.Name, Description: rt.Description,
		Endpoint: rt.Endpoint, Schema: rt.Schema.ID,
		Meta: discoveryMeta{"ResourceType", q.base + "/ResourceTypes/" + rt.Name},
	}
	for _, extension := range rt.Extensions {
		v.SchemaExtensions = append(v.SchemaExtensions, extensionView{Schema: extension.ID})
	}
	return v
}

func listResourceTypes(q *request) (*response, error) {
	return listDefinitions(q, q.extendedTypes(), q.viewResourceType)
}

func getResourceType(q *request) (*response, error) {
	return getDefinition(q.extendedTypes(), q.viewResourceType, func(rt *schema.ResourceType) bool { return strings.EqualFold(rt.Name, q.route.id) })
}

func listDefinitions[T, V any](q *request, all []T, view func(T) V) (*response, error) {
	if q.query.Has("filter") {
		return nil, errDiscoveryFilter
	}
	return replyList(listed{total: len(all), startIndex: 1}, len(all), func(b []byte, i int) ([]byte, error) {
		return appendValue(b, view(all[i]))
	})
}

func getDefinition[T, V any](all []T, view func(T) V, isMeant func(T) bool) (*response, error) {
	i := slices.IndexFunc(all, isMeant)
	if i < 0 {
		return nil, errNotFound
	}
	return reply(http.StatusOK, view(all[i]))
}

type (
	supported struct {
		Supported bool `json:"supported"`
	}
	supportedFilter struct {
		Supported  bool `json:"supported"`
		MaxResults int  `json:"maxResults"`
	}
	supportedBulk struct {
		Supported      bool `json:"supported"`
		MaxOperations  int  `json:"maxOperations"`
		MaxPayloadSize int  `json:"maxPayloadSize"`
	}
	// supportedPagination is the attribute of RFC 9865 §4.
	supportedPagination struct {
		Cursor                  bool   `json:"cursor"`
		Index                   bool   `json:"index"`
		DefaultPaginationMethod string `json:"defaultPaginationMethod"`
		DefaultPageSize         int    `json:"defaultPageSize"`
		MaxPageSize             int    `json:"maxPageSize"`
		CursorTimeout           int    `json:"cursorTimeout"`
	}
	authenticationScheme struct {
		Type        string `json:"type"`
		Name        string `json:"name"`
		Description string `json:"description"`
		SpecURI     string `json:"specUri"`
		Primary     bool   `json:"primary"`
	}
	// serviceProviderConfig is the resource of RFC 7643 §5.
	serviceProviderConfig struct {
		Schemas               []string               `json:"schemas"`
		Patch                 supported              `json:"patch"`
		Bulk                  supportedBulk          `json:"bulk"`
		Filter                supportedFilter        `json:"filter"`
		ChangePassword        supported              `json:"changePassword"`
		Sort                  supported              `json:"sort"`
		ETag                  supported              `json:"etag"`
		Pagination            supportedPagination    `json:"pagination"`
		AuthenticationSchemes []authenticationScheme `json:"authenticationSchemes"`
		Meta                  discoveryMeta          `json:"meta"`
	}
)

func getServiceProviderConfig(q *request) (*response, error) {
	return reply(http.StatusOK, serviceProviderConfig{
		Schemas: []string{schema.ServiceProviderConfigURN},
		Patch:   supported{true},
		Bulk:    supportedBulk{Supported: true, MaxOperations: maxBulkOperations, MaxPayloadSize: maxBulkBody},
		Filter:  supportedFilter{Supported: true, MaxResults: maxCount},
		Sort:    supported{true},
		ETag:    supported{true},
		Pagination: supportedPagination{
			Cursor:                  true,
			Index:                   true,
			DefaultPaginationMethod: "index",
			DefaultPageSize:         defaultCount,
			MaxPageSize:             maxCount,
			CursorTimeout:           int(cursorTimeout.Seconds()),
		},
		AuthenticationSchemes: []authenticationScheme{{
			Type:        "oauthbearertoken",
			Name:        "Bearer token",
			Description: "A token of the ScimDirectory, in the Authorization header.",
			SpecURI:     "https://www.rfc-editor.org/info/rfc6750",
			Primary:     true,
		}},
		Meta: discoveryMeta{"ServiceProviderConfig", q.base + "/ServiceProviderConfig"},
	})
}
