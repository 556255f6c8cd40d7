package view

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// Access reads what explains people's roles; each group is read once.
type Access struct {
	*Reader
	groups map[string]*v1alpha1.ScimGroup
	// every is all groups, once they have been asked for.
	every []*v1alpha1.ScimGroup
}

// Access begins to explain.
func (r *Reader) Access() *Access {
	return &Access{Reader: r, groups: map[string]*v1alpha1.ScimGroup{}}
}

// group is nil when it does not exist.
func (a *Access) group(ctx context.Context, id string) (*v1alpha1.ScimGroup, error) {
	if g, known := a.groups[id]; known {
		return g, nil
	}
	g, err := Find[v1alpha1.ScimGroup](ctx, a.Reader, id)
	a.groups[id] = g
	return g, err
}

// groupName is the group's displayName, or its id when it is gone.
func (a *Access) groupName(ctx context.Context, id string) (string, error) {
	g, err := a.group(ctx, id)
	if g == nil {
		return id, err
	}
	return g.Spec.DisplayName, nil
}

// Through says how a person has a role, in few words: by which groups, by default, by hand.
func (a *Access) Through(ctx context.Context, m *v1alpha1.AppMembership, role string) ([]string, error) {
	var ways []string
	for _, grant := range m.Status.Grants {
		if grant.Role != role {
			continue
		}
		if len(grant.Groups) == 0 {
			ways = append(ways, "default")
		}
		for _, id := range grant.Groups {
			name, err := a.groupName(ctx, id)
			if err != nil {
				return nil, err
			}
			ways = append(ways, name)
		}
	}
	hands, err := grantedBy(m, role)
	if err != nil {
		return nil, err
	}
	if len(hands) > 0 {
		ways = append(ways, "by hand")
	}
	return ways, nil
}

// hand is somebody other than the controllers who granted a role.
type hand struct {
	manager string
	when    *metav1.Time
}

func (h hand) String() string {
	words := "by hand"
	if h.manager == v1alpha1.RetainedFieldManager {
		words = "kept from a directory that was deleted"
	} else if h.manager != "" {
		words += ", with " + h.manager
	}
	if h.when != nil {
		words += ", last changed " + h.when.UTC().Format(time.DateOnly)
	}
	return words
}

// grantedBy are those, other than the operator, who own a role of a member.
func grantedBy(m *v1alpha1.AppMembership, role string) ([]hand, error) {
	var hands []hand
	for _, e := range m.ManagedFields {
		if e.Manager == v1alpha1.FieldManager || e.Subresource != "" || e.FieldsV1 == nil {
			continue
		}
		var set fieldpath.Set
		if err := set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes())); err != nil {
			return nil, fmt.Errorf("managedFields of AppMembership %s: %w", m.Name, err)
		}
		roles := set.WithPrefix(fieldpath.FieldNameElement("spec")).WithPrefix(fieldpath.FieldNameElement("roles"))
		roles.Members.Iterate(func(p fieldpath.PathElement) {
			if p.Value != nil && (*p.Value).IsString() && (*p.Value).AsString() == role {
				hands = append(hands, hand{e.Manager, e.Time})
			}
		})
	}
	return hands, nil
}

// path is how a person is in a group: the groups from it down to the one that has the person. It is empty when they are not.
func (a *Access) path(ctx context.Context, g *v1alpha1.ScimGroup, person string) ([]string, error) {
	type step struct {
		group *v1alpha1.ScimGroup
		names []string
	}
	met := map[string]bool{g.Name: true}
	for ahead := []step{{g, []string{g.Spec.DisplayName}}}; len(ahead) > 0; ahead = ahead[1:] {
		at := ahead[0]
		m := at.group.Spec.Membership
		if m == nil {
			continue
		}
		home, err := Find[v1alpha1.ScimMemberSlice](ctx, a.Reader, v1alpha1.SliceName(at.group.Name, m.Epoch, v1alpha1.HomeShard(person, m.Shards)))
		if err != nil {
			return nil, err
		}
		if home != nil && slices.Contains(home.Spec.Members, person) {
			return at.names, nil
		}
		if !m.Nested {
			continue
		}
		_, inner, err := a.MemberIDs(ctx, at.group)
		if err != nil {
			return nil, err
		}
		for _, id := range inner {
			in, err := a.group(ctx, id)
			if err != nil {
				return nil, err
			}
			if in != nil && !met[id] {
				met[id] = true
				ahead = append(ahead, step{in, append(slices.Clone(at.names), in.Spec.DisplayName)})
			}
		}
	}
	return nil, nil
}

// rule says by which entry of an AppRole, or by which link, a group grants it; empty when none does any more.
func rule(r *v1alpha1.AppRole, g *v1alpha1.ScimGroup, primary string) string {
	for _, s := range r.Spec.GrantedTo {
		if names(s, g, primary) {
			return fmt.Sprintf("AppRole %s is grantedTo %s", r.Name, inSelector(s))
		}
	}
	if g.Spec.RoleRef != nil && g.Spec.RoleRef.Name == r.Name {
		return fmt.Sprintf("the group is linked to AppRole %s", r.Name)
	}
	return ""
}

func names(s v1alpha1.GroupSelector, g *v1alpha1.ScimGroup, primary string) bool {
	directory := s.Directory
	if directory == "" {
		directory = primary
	}
	switch {
	case g.Spec.DirectoryRef.Name != directory || g.Spec.Origin == v1alpha1.OriginApp:
		return false
	case s.Name != "":
		return g.Name == s.Name
	case s.ExternalID != "":
		return g.Spec.ExternalID == s.ExternalID
	default:
		return schema.Fold(g.Spec.DisplayName) == schema.Fold(s.DisplayName)
	}
}

func inSelector(s v1alpha1.GroupSelector) string {
	var words []string
	for _, part := range []struct{ field, value string }{
		{"displayName", s.DisplayName}, {"externalId", s.ExternalID}, {"name", s.Name}, {"directory", s.Directory},
	} {
		if part.value != "" {
			words = append(words, fmt.Sprintf("%s %q", part.field, part.value))
		}
	}
	return strings.Join(words, " of ")
}

// Membership finds the AppMembership of a user; nil when there is none.
func (r *Reader) Membership(ctx context.Context, u *v1alpha1.ScimUser) (*v1alpha1.AppMembership, error) {
	is := func(m *v1alpha1.AppMembership) bool { return m.Spec.UserRef != nil && m.Spec.UserRef.Name == u.Name }
	m, err := Find[v1alpha1.AppMembership](ctx, r, u.Name)
	if err != nil || m != nil && is(m) {
		return m, err
	}
	// A local member that the directory took over keeps its own name.
	m = nil
	err = Pages(ctx, r, func(page *v1alpha1.AppMembershipList) error {
		for i := range page.Items {
			if is(&page.Items[i]) {
				m = &page.Items[i]
			}
		}
		return nil
	})
	return m, err
}
