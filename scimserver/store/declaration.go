package store

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// declaration is what a ScimDirectory adds to the resource types of RFC 7643. It is built once for each generation.
type declaration struct {
	uid         types.UID
	generation  int64
	user, group *schema.ResourceType
}

// ResourceType returns schema.User or schema.Group with the extensions that the directory declares for it now.
func (d *Directory) ResourceType(base *schema.ResourceType) *schema.ResourceType {
	var extended *schema.ResourceType
	d.read(func(ix *directoryIndex) {
		switch base {
		case schema.User:
			extended = ix.declared.user
		case schema.Group:
			extended = ix.declared.group
		}
	})
	if extended == nil {
		return base // the directory is gone
	}
	return extended
}

func (c *declaration) put(d *v1alpha1.ScimDirectory) {
	if c.uid == d.UID && c.generation == d.Generation {
		return
	}
	*c = declaration{
		uid: d.UID, generation: d.Generation,
		user:  schema.User.With(schemasFor(d, v1alpha1.ExtendsUser)...),
		group: schema.Group.With(schemasFor(d, v1alpha1.ExtendsGroup)...),
	}
}

func schemasFor(d *v1alpha1.ScimDirectory, resourceType v1alpha1.ExtendedResourceType) (schemas []*schema.Schema) {
	for _, e := range d.Spec.Extensions {
		if e.ResourceType != resourceType {
			continue
		}
		s := &schema.Schema{ID: e.URN, Name: e.Name, Description: e.Description}
		for _, a := range e.Attributes {
			attribute := attributeOf(a.Name, a.Type, a.AttributeCharacteristics)
			for _, sub := range a.SubAttributes {
				attribute.SubAttributes = append(attribute.SubAttributes, attributeOf(sub.Name, sub.Type, sub.AttributeCharacteristics))
			}
			s.Attributes = append(s.Attributes, attribute)
		}
		schemas = append(schemas, s)
	}
	return schemas
}

func attributeOf(name string, kind v1alpha1.AttributeType, c v1alpha1.AttributeCharacteristics) schema.Attribute {
	c = c.WithDefaults()
	a := schema.Attribute{
		Name: name, Type: schema.Type(kind), MultiValued: c.MultiValued, Description: c.Description,
		Required: c.Required, CanonicalValues: c.CanonicalValues, CaseExact: c.CaseExact,
		Mutability: string(c.Mutability), Returned: string(c.Returned), Uniqueness: schema.UniquenessNone,
	}
	switch a.Type {
	case schema.Binary:
		a.CaseExact = true // RFC 7643 §2.3.6
	case schema.Reference:
		a.CaseExact = true // RFC 7643 §2.3.7
		a.ReferenceTypes = []string{"uri"}
	}
	return a
}
