package store

import (
	"maps"
	"net/http"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// Change is what a request has changed in one resource, by names and ids.
type Change struct {
	// Operation is the reason of the event that tells of the change.
	Operation string
	// Resource is the kind and name of the object.
	Resource string
	// Attributes are the names of the changed attributes, of all that a new resource has; members among them.
	Attributes []string
	// MembersAdded and MembersRemoved are the ids that became members, and that are members no longer.
	MembersAdded, MembersRemoved []string
}

// Attempted is what a request with this method, for one that changes something, was to do with a resource of a type. An id
// that is none is left out, since clients can write what they like there.
func Attempted(method string, rt *schema.ResourceType, id string) *Change {
	operations := map[string][2]string{
		http.MethodPost:   {v1alpha1.EventUserCreated, v1alpha1.EventGroupCreated},
		http.MethodPut:    {v1alpha1.EventUserUpdated, v1alpha1.EventGroupUpdated},
		http.MethodPatch:  {v1alpha1.EventUserUpdated, v1alpha1.EventGroupUpdated},
		http.MethodDelete: {v1alpha1.EventUserDeleted, v1alpha1.EventGroupDeleted},
	}[method]
	c := &Change{Operation: operations[0], Resource: kindUser}
	if rt.Name == schema.Group.Name {
		c = &Change{Operation: operations[1], Resource: kindGroup}
	}
	if isID(id) {
		c.Resource += "/" + id
	}
	return c
}

const (
	kindUser  = "ScimUser"
	kindGroup = "ScimGroup"
)

// For returns the same resources for one request: what is written bears the request's id, and Change tells what was
// changed. A request writes to one resource, and in one goroutine.
func (d *Directory) For(request string) *Directory {
	return &Directory{store: d.store, key: d.key, request: request, written: &written{}}
}

// aside returns the same resources for what the request writes beside its change: it bears the request's id and does not
// count.
func (d *Directory) aside() *Directory {
	return &Directory{store: d.store, key: d.key, request: d.request}
}

// written is what a request has written, noted as each write is stored, so that it holds whatever was retried.
type written struct {
	// before and after are the object before the first and after the last write: nil where it did not exist.
	before, after client.Object
	known         bool
	// revision is the resource version of the last write.
	revision       string
	added, removed memberSet
	// back says that who is created now was here before.
	back bool
}

// object is the object as it is now, or was at the end.
func (w *written) object() client.Object {
	if w.after == nil {
		return w.before
	}
	return w.after
}

// note is told of each write of a user or group: before is nil for a new one, after for one that is deleted.
func (d *Directory) note(before, after client.Object) {
	w := d.written
	if w == nil {
		return
	}
	if !w.known {
		w.before, w.known = before, true
	}
	w.after = after
	if after != nil {
		w.revision = after.GetResourceVersion()
	}
}

// noteReturn is told that who was created had been deleted before.
func (d *Directory) noteReturn() {
	if d.written != nil {
		d.written.back = true
	}
}

// noteMembers is told of each write of a group's members, with those before and after it, and the object that was written.
func (d *Directory) noteMembers(group *v1alpha1.ScimGroup, before, after []string, stored client.Object) {
	w, old, now := d.written, setOf(before), setOf(after)
	if w == nil || maps.Equal(old, now) {
		return // members that only moved to other slices
	}
	if !w.known {
		w.before, w.after, w.known = group, group, true
	}
	if w.added == nil {
		w.added, w.removed = memberSet{}, memberSet{}
	}
	move := func(ids []string, staying, into, outOf memberSet) {
		for _, id := range ids {
			switch {
			case staying[id]:
			case outOf[id]:
				delete(outOf, id)
			default:
				into[id] = true
			}
		}
	}
	move(after, old, w.added, w.removed)
	move(before, now, w.removed, w.added)
	w.revision = stored.GetResourceVersion()
}

// Change returns what the request has changed so far, nil if nothing.
func (d *Directory) Change() *Change {
	w := d.written
	if w == nil || !w.known {
		return nil
	}
	c := &Change{MembersAdded: slices.Sorted(maps.Keys(w.added)), MembersRemoved: slices.Sorted(maps.Keys(w.removed))}
	switch object := w.object(); object.(type) {
	case *v1alpha1.ScimUser:
		before, _ := w.before.(*v1alpha1.ScimUser)
		after, _ := w.after.(*v1alpha1.ScimUser)
		c.Resource = kindUser + "/" + object.GetName()
		c.Operation = userOperation(before, after, w.back)
		if after != nil {
			c.Attributes = d.ResourceType(schema.User).Changed(userTree(before), userTree(after))
		}
	case *v1alpha1.ScimGroup:
		before, _ := w.before.(*v1alpha1.ScimGroup)
		after, _ := w.after.(*v1alpha1.ScimGroup)
		c.Resource = kindGroup + "/" + object.GetName()
		if after != nil {
			c.Attributes = d.ResourceType(schema.Group).Changed(groupTree(before), groupTree(after))
		}
		c.Operation = groupOperation(before, after, len(c.Attributes) > 0, c.MembersAdded, c.MembersRemoved)
		if after != nil && len(c.MembersAdded)+len(c.MembersRemoved) > 0 {
			c.Attributes = append(c.Attributes, "members")
			slices.Sort(c.Attributes)
		}
	}
	return c
}

func userOperation(before, after *v1alpha1.ScimUser, back bool) string {
	switch {
	case after == nil:
		return v1alpha1.EventUserDeleted
	case before == nil && back:
		return v1alpha1.EventUserReactivated
	case before == nil:
		return v1alpha1.EventUserCreated
	case before.Spec.Origin == v1alpha1.OriginApp && after.Spec.Origin != v1alpha1.OriginApp:
		return v1alpha1.EventUserLinked
	case before.Spec.Active && !after.Spec.Active:
		return v1alpha1.EventUserDeactivated
	case !before.Spec.Active && after.Spec.Active:
		return v1alpha1.EventUserReactivated
	default:
		return v1alpha1.EventUserUpdated
	}
}

func groupOperation(before, after *v1alpha1.ScimGroup, attributes bool, added, removed []string) string {
	switch {
	case after == nil:
		return v1alpha1.EventGroupDeleted
	case before == nil:
		return v1alpha1.EventGroupCreated
	case before.Spec.Origin == v1alpha1.OriginApp && after.Spec.Origin != v1alpha1.OriginApp:
		return v1alpha1.EventGroupLinked
	case !attributes && len(removed) == 0 && len(added) > 0:
		return v1alpha1.EventMemberAdded
	case !attributes && len(added) == 0 && len(removed) > 0:
		return v1alpha1.EventMemberRemoved
	default:
		return v1alpha1.EventGroupUpdated
	}
}

// userTree and groupTree are what a client can write of an object, as a JSON tree; nil for none.
func userTree(u *v1alpha1.ScimUser) map[string]any {
	if u == nil {
		return nil
	}
	return treeOf(&User{UserAttributes: &u.Spec.UserAttributes, Enterprise: u.Spec.Enterprise, Extensions: fromObject(u.Spec.Extensions)})
}

func groupTree(g *v1alpha1.ScimGroup) map[string]any {
	if g == nil {
		return nil
	}
	return treeOf(&Group{ExternalID: g.Spec.ExternalID, DisplayName: g.Spec.DisplayName, Extensions: fromObject(g.Spec.Extensions)})
}

func treeOf(resource Resource) map[string]any {
	tree, _ := Tree(resource) // what was stored can be written as JSON
	return tree
}
