package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// User is a User resource as SCIM shows it (RFC 7643 §4.1). Location and $ref are left to the server, which knows its
// own address.
type User struct {
	Schemas []string `json:"schemas"`
	ID      string   `json:"id"`
	*v1alpha1.UserAttributes
	Enterprise *v1alpha1.EnterpriseUser `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,omitempty"`
	Groups     []GroupRef               `json:"groups,omitempty"`
	Meta       *Meta                    `json:"meta,omitempty"`
	// Extensions are the attributes of schemas beyond RFC 7643, by URN, as JSON objects.
	Extensions map[string]json.RawMessage `json:"-"`

	// before is what CreateUser has brought back or taken over, as it was; nil if the user is new.
	before *v1alpha1.ScimUser
	// view, unless nil, is the index's of this user, who then differs from it by nothing but Groups and the location.
	view *view
}

// Group is a Group resource as SCIM shows it (RFC 7643 §4.2).
type Group struct {
	Schemas     []string `json:"schemas"`
	ID          string   `json:"id"`
	ExternalID  string   `json:"externalId,omitempty"`
	DisplayName string   `json:"displayName"`
	Members     []Member `json:"members,omitempty"`
	Meta        *Meta    `json:"meta,omitempty"`
	// Extensions are the attributes of schemas beyond RFC 7643, by URN, as JSON objects.
	Extensions map[string]json.RawMessage `json:"-"`

	// slices is their part of the version.
	slices int64
}

// Member is one member of a group.
type Member struct {
	Value   string `json:"value"`
	Ref     string `json:"$ref,omitempty"`
	Type    string `json:"type,omitempty"`
	Display string `json:"display,omitempty"`
}

// GroupRef is one group that a user is in.
type GroupRef struct {
	Value   string `json:"value"`
	Ref     string `json:"$ref,omitempty"`
	Display string `json:"display,omitempty"`
	Type    string `json:"type,omitempty"`
}

// Meta is a resource's metadata (RFC 7643 §3.1).
type Meta struct {
	ResourceType string    `json:"resourceType"`
	Created      time.Time `json:"created"`
	LastModified time.Time `json:"lastModified"`
	Location     string    `json:"location,omitempty"`
	// Version is a weak entity tag; it changes with the resource and with nothing else.
	Version string `json:"version,omitempty"`
}

// Tree is a resource as a JSON tree, the form that schema and patch work on. It returns an error for an extension that is
// no JSON object.
func Tree(resource Resource) (map[string]any, error) { return resource.tree() }

func (u *User) tree() (map[string]any, error) {
	tree := map[string]any{}
	if u.UserAttributes != nil {
		var err error
		if tree, err = objectOf(u.UserAttributes); err != nil {
			return nil, err
		}
	}
	if u.Enterprise != nil {
		enterprise, err := objectOf(u.Enterprise)
		if err != nil {
			return nil, err
		}
		tree[schema.EnterpriseUserURN] = enterprise
	}
	if len(u.Groups) > 0 {
		groups, err := arrayOf(u.Groups)
		if err != nil {
			return nil, err
		}
		tree["groups"] = groups
	}
	return common(tree, u.Schemas, u.ID, u.Meta, u.Extensions)
}

func (g *Group) tree() (map[string]any, error) {
	tree := map[string]any{"displayName": g.DisplayName}
	if g.ExternalID != "" {
		tree["externalId"] = g.ExternalID
	}
	if len(g.Members) > 0 {
		members, err := arrayOf(g.Members)
		if err != nil {
			return nil, err
		}
		tree["members"] = members
	}
	return common(tree, g.Schemas, g.ID, g.Meta, g.Extensions)
}

// common adds to a tree what all resources have.
func common(tree map[string]any, schemas []string, id string, meta *Meta, extensions map[string]json.RawMessage) (map[string]any, error) {
	urns := make([]any, len(schemas))
	for i, urn := range schemas {
		urns[i] = urn
	}
	tree["schemas"], tree["id"] = urns, id
	if meta != nil {
		object, err := objectOf(meta)
		if err != nil {
			return nil, err
		}
		tree["meta"] = object
	}
	for urn, raw := range extensions {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var extension any
		if err := d.Decode(&extension); err != nil {
			return nil, err
		}
		tree[urn] = extension
	}
	return tree, nil
}

// objectOf is a struct as a JSON object. Nothing is written as JSON and read again on the way.
func objectOf(structure any) (map[string]any, error) {
	return runtime.DefaultUnstructuredConverter.ToUnstructured(structure)
}

func arrayOf[T any](structures []T) ([]any, error) {
	array := make([]any, len(structures))
	for i := range structures {
		object, err := objectOf(&structures[i])
		if err != nil {
			return nil, err
		}
		array[i] = object
	}
	return array, nil
}

// UserFromTree reads what can be written of a user from a tree that schema.User, extended or not, has normalized.
func UserFromTree(tree map[string]any) (*User, error) {
	u := &User{UserAttributes: &v1alpha1.UserAttributes{}}
	if err := fromTree(tree, u.UserAttributes); err != nil {
		return nil, err
	}
	if enterprise, ok := tree[schema.EnterpriseUserURN].(map[string]any); ok {
		u.Enterprise = &v1alpha1.EnterpriseUser{}
		if err := fromTree(enterprise, u.Enterprise); err != nil {
			return nil, err
		}
	}
	var err error
	u.Extensions, err = extensionsOf(tree, schema.User)
	return u, err
}

// GroupFromTree reads what can be written of a group from a tree that schema.Group, extended or not, has normalized.
func GroupFromTree(tree map[string]any) (*Group, error) {
	var attributes struct {
		ExternalID  string   `json:"externalId"`
		DisplayName string   `json:"displayName"`
		Members     []Member `json:"members"`
	}
	if err := fromTree(tree, &attributes); err != nil {
		return nil, err
	}
	extensions, err := extensionsOf(tree, schema.Group)
	return &Group{
		ExternalID: attributes.ExternalID, DisplayName: attributes.DisplayName, Members: attributes.Members,
		Extensions: extensions,
	}, err
}

func fromTree(tree map[string]any, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(tree, into); err != nil {
		return fmt.Errorf("a normalized resource does not fit its type: %w", err)
	}
	return nil
}

func extensionsOf(tree map[string]any, rt *schema.ResourceType) (extensions map[string]json.RawMessage, err error) {
	for name, value := range tree {
		if !rt.Undeclared(name) {
			continue
		}
		if extensions == nil {
			extensions = map[string]json.RawMessage{}
		}
		if extensions[name], err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	return extensions, nil
}

// fromObject and toObject translate extensions between the resource and the object that Kubernetes stores.
func fromObject(stored map[string]v1alpha1.Extension) map[string]json.RawMessage {
	if len(stored) == 0 {
		return nil
	}
	out := make(map[string]json.RawMessage, len(stored))
	for urn, e := range stored {
		out[urn] = e.Raw
	}
	return out
}

func toObject(sent map[string]json.RawMessage) map[string]v1alpha1.Extension {
	if len(sent) == 0 {
		return nil
	}
	out := make(map[string]v1alpha1.Extension, len(sent))
	for urn, raw := range sent {
		out[urn] = v1alpha1.Extension{RawExtension: runtime.RawExtension{Raw: raw}}
	}
	return out
}

// equalExtensions compares what the JSON says, not how it is written: Kubernetes orders keys and numbers its own way.
func equalExtensions(a, b map[string]v1alpha1.Extension) bool {
	return maps.EqualFunc(a, b, func(x, y v1alpha1.Extension) bool {
		var left, right any
		return json.Unmarshal(x.Raw, &left) == nil && json.Unmarshal(y.Raw, &right) == nil && reflect.DeepEqual(left, right)
	})
}

func withExtensions(schemas []string, extensions map[string]json.RawMessage) []string {
	if len(extensions) == 0 {
		return schemas
	}
	return append(slices.Clip(schemas), slices.Sorted(maps.Keys(extensions))...)
}
