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

// plainUser and plainGroup have no methods, so that encoding/json treats them as the structs they are.
type (
	plainUser  User
	plainGroup Group
)

// MarshalJSON writes the extensions beside the attributes.
func (u *User) MarshalJSON() ([]byte, error) { return marshalExtended((*plainUser)(u), u.Extensions) }

// MarshalJSON writes the extensions beside the attributes.
func (g *Group) MarshalJSON() ([]byte, error) { return marshalExtended((*plainGroup)(g), g.Extensions) }

func marshalExtended(plain any, extensions map[string]json.RawMessage) ([]byte, error) {
	out, err := json.Marshal(plain)
	if err != nil || len(extensions) == 0 {
		return out, err
	}
	b := bytes.NewBuffer(out[:len(out)-1])
	for _, urn := range slices.Sorted(maps.Keys(extensions)) {
		key, err := json.Marshal(urn)
		if err != nil {
			return nil, err
		}
		b.WriteByte(',')
		b.Write(key)
		b.WriteByte(':')
		b.Write(extensions[urn])
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Tree is a resource as a JSON tree, the form that schema and patch work on.
func Tree(resource json.Marshaler) (map[string]any, error) {
	raw, err := resource.MarshalJSON()
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree map[string]any
	return tree, d.Decode(&tree)
}

// UserFromTree reads a tree that schema.User, extended or not, has normalized.
func UserFromTree(tree map[string]any) (*User, error) {
	u := &User{}
	ext, err := fromTree(tree, schema.User, (*plainUser)(u))
	u.Extensions = ext
	return u, err
}

// GroupFromTree reads a tree that schema.Group, extended or not, has normalized.
func GroupFromTree(tree map[string]any) (*Group, error) {
	g := &Group{}
	ext, err := fromTree(tree, schema.Group, (*plainGroup)(g))
	g.Extensions = ext
	return g, err
}

func fromTree(tree map[string]any, rt *schema.ResourceType, plain any) (map[string]json.RawMessage, error) {
	raw, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, plain); err != nil {
		return nil, fmt.Errorf("a normalized resource does not fit its type: %w", err)
	}
	var extensions map[string]json.RawMessage
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
