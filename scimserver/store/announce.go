package store

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

const (
	// maxMemberEvents is the number of members whose coming and going one request tells of one by one.
	maxMemberEvents = 100
	// maxNamesInNote bounds the names of attributes in an event, whose note has 1 kB.
	maxNamesInNote = 500
)

// event is a Kubernetes Event that is to be.
type event struct {
	regarding, related *corev1.ObjectReference
	kind, reason, note string
}

// tell has an event emitted, unless nobody takes events.
func (s *Store) tell(e event) {
	if s.options.Events != nil {
		s.options.Events.Eventf(e.regarding, e.related, e.kind, e.reason, "Provision", "%s", e.note)
	}
}

// Announce has events tell of what a request has changed.
func (d *Directory) Announce(c *Change) {
	if d.store.options.Events == nil || d.written == nil || !d.written.known {
		return
	}
	revision := d.written.revision
	members := map[string]*corev1.ObjectReference{}
	if len(c.MembersAdded)+len(c.MembersRemoved) <= maxMemberEvents {
		d.read(func(ix *directoryIndex) {
			for _, id := range slices.Concat(c.MembersAdded, c.MembersRemoved) {
				if u, ok := ix.users.byName[id]; ok {
					members[id] = referenceTo(u, revision)
				} else if g, ok := ix.groups.byName[id]; ok {
					members[id] = referenceTo(g, revision)
				} else {
					members[id] = &corev1.ObjectReference{Namespace: d.key.namespace, Name: id}
				}
			}
		})
	}
	who := "directory " + d.key.name + ", request " + d.request
	for _, e := range eventsOf(c, referenceTo(d.written.object(), revision), members, who) {
		d.store.tell(e)
	}
}

// referenceTo refers to an object as of a resource version. Events about the same state of an object are counted as one,
// so the version is that of the write that the event tells of, be it of the object itself or of a slice of its members.
func referenceTo(obj client.Object, version string) *corev1.ObjectReference {
	kind := kindUser
	if _, ok := obj.(*v1alpha1.ScimGroup); ok {
		kind = kindGroup
	}
	return &corev1.ObjectReference{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: kind,
		Namespace: obj.GetNamespace(), Name: obj.GetName(), UID: obj.GetUID(), ResourceVersion: version,
	}
}

// deeds says of each operation on a resource what was done.
var deeds = map[string]string{
	v1alpha1.EventUserCreated:     "Created",
	v1alpha1.EventUserLinked:      "Taken over from the app",
	v1alpha1.EventUserUpdated:     "Updated",
	v1alpha1.EventUserDeactivated: "Deactivated",
	v1alpha1.EventUserReactivated: "Reactivated",
	v1alpha1.EventUserDeleted:     "Deleted",
	v1alpha1.EventGroupCreated:    "Created",
	v1alpha1.EventGroupLinked:     "Linked to the app's role",
	v1alpha1.EventGroupUpdated:    "Updated",
	v1alpha1.EventGroupDeleted:    "Deleted",
}

// eventsOf are the events that tell of a change of a resource: one of the resource itself, and for each member that came
// or went one of the group and one of the member, or one of all of them if they are many. Of a member that
// exists no longer, whose kind is not known, only the group tells. who is by whom and in which request.
func eventsOf(c *Change, self *corev1.ObjectReference, members map[string]*corev1.ObjectReference, who string) []event {
	var told []event
	tell := func(regarding, related *corev1.ObjectReference, reason, deed string) {
		told = append(told, event{regarding, related, corev1.EventTypeNormal, reason, deed + " by " + who})
	}
	own := namesIn(c)
	if deed, ok := deeds[c.Operation]; ok && (c.Operation != v1alpha1.EventGroupUpdated || own != "") {
		tell(self, nil, c.Operation, deed)
		if c.Operation != v1alpha1.EventUserCreated && c.Operation != v1alpha1.EventGroupCreated && own != "" {
			told[0].note += ": " + own
		}
	}
	for _, moved := range []struct {
		reason, onGroup, onMember string
		ids                       []string
	}{
		{v1alpha1.EventMemberAdded, "added", "Added to", c.MembersAdded},
		{v1alpha1.EventMemberRemoved, "removed", "Removed from", c.MembersRemoved},
	} {
		switch {
		case len(moved.ids) == 0:
		case len(c.MembersAdded)+len(c.MembersRemoved) > maxMemberEvents:
			tell(self, nil, moved.reason, fmt.Sprintf("%d members %s", len(moved.ids), moved.onGroup))
		default:
			for _, id := range moved.ids {
				tell(self, members[id], moved.reason, "Member "+id+" "+moved.onGroup)
				if members[id].Kind != "" {
					tell(members[id], self, moved.reason, moved.onMember+" "+c.Resource)
				}
			}
		}
	}
	return told
}

// namesIn lists the changed attributes of the resource itself, as many as a note has room for.
func namesIn(c *Change) string {
	var list strings.Builder
	for i, name := range c.Attributes {
		if name == "members" {
			continue
		}
		if list.Len()+len(name) > maxNamesInNote {
			fmt.Fprintf(&list, " and %d more", len(c.Attributes)-i)
			break
		}
		if list.Len() > 0 {
			list.WriteString(", ")
		}
		list.WriteString(name)
	}
	return list.String()
}
