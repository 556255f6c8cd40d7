package webhook

import "slices"

// The types of events, beside snapshot.
const (
	userProvisioned = "user.provisioned"
	userUpdated     = "user.updated"
	userDeactivated = "user.deactivated"
	userReactivated = "user.reactivated"
	userRemoved     = "user.removed"
	roleGranted     = "role.granted"
	roleRevoked     = "role.revoked"
	roleAdded       = "role.added"
	roleRenamed     = "role.renamed"
	roleRemoved     = "role.removed"
)

// event is one change of what a receiver knows of a subject.
type event struct {
	kind string
	// role is the one that a person is granted, or that is revoked.
	role string
	// apply makes the change; after is the subject once this event and those before it are applied.
	apply func(*known)
	after known
}

// eventsBetween lead from what a receiver knows to what it is to know: one for each change, what is lost before what is gained.
// What is left of them after some were applied are the events that lead from there.
func eventsBetween(before, after known) []event {
	var events []event
	at := before
	happens := func(kind, role string, apply func(*known)) {
		apply(&at)
		events = append(events, event{kind, role, apply, at})
	}
	for _, role := range before.roles {
		if !slices.Contains(after.roles, role) {
			happens(roleRevoked, role, func(k *known) {
				k.roles = slices.DeleteFunc(slices.Clone(k.roles), func(r string) bool { return r == role })
			})
		}
	}
	if before.active && !after.active {
		happens(userDeactivated, "", func(k *known) { k.active = false })
	}
	identify := func(k *known) { k.identity = after.identity }
	switch {
	case before.identity == after.identity:
	case after.identity == "":
		happens(userRemoved, "", identify)
	case before.identity == "":
		happens(userProvisioned, "", func(k *known) { k.identity, k.active = after.identity, after.active })
	default:
		happens(userUpdated, "", identify)
	}
	if !at.active && after.active {
		happens(userReactivated, "", func(k *known) { k.active = true })
	}
	for _, role := range after.roles {
		if !slices.Contains(before.roles, role) {
			happens(roleGranted, role, func(k *known) {
				k.roles = append(slices.Clone(k.roles), role)
				slices.Sort(k.roles)
			})
		}
	}
	entitle := func(k *known) { k.title = after.title }
	switch {
	case before.title == after.title:
	case after.title == "":
		happens(roleRemoved, "", entitle)
	case before.title == "":
		happens(roleAdded, "", entitle)
	default:
		happens(roleRenamed, "", entitle)
	}
	return events
}
