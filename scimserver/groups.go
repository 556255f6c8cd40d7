package scimserver

import (
	"net/http"

	"github.com/scim-operator/scim-operator/scimserver/store"
)

// groupQuery selects groups as a list asks for them.
func (q *request) groupQuery(p part) *store.GroupQuery {
	query := &store.GroupQuery{
		Key:          p.key("id", "displayName", "externalId", "members.value"),
		MatchMembers: p.uses("members"),
		Members:      p.projection.Includes("members"),
	}
	subject := p.subject()
	locate := func(*store.Group) {}
	if p.uses("meta", "members") {
		locate = q.locateGroup
	}
	if p.filter != nil {
		query.Match = func(g *store.Group) bool {
			locate(g)
			return p.filter.Match(subject(g))
		}
	}
	if p.order != nil {
		query.SortKey = func(g *store.Group) string {
			locate(g)
			return p.order.Key(subject(g))
		}
	}
	return query
}

func getGroup(q *request) (*response, error) {
	g, err := q.directory.Group(q.Context(), q.route.id, q.projection.Includes("members"))
	if err != nil {
		return nil, err
	}
	if err := q.checkPrecondition(g.Meta.Version); err != nil {
		return nil, err
	}
	return q.replyGroup(http.StatusOK, g)
}

func createGroup(q *request) (*response, error) {
	body, err := q.normalized()
	if err != nil {
		return nil, err
	}
	g, err := store.GroupFromTree(body)
	if err != nil {
		return nil, err
	}
	if g, err = q.directory.CreateGroup(q.Context(), g); err != nil {
		return nil, err
	}
	return q.replyGroup(http.StatusCreated, g)
}

// replaceGroup is PUT: what the body leaves out is cleared, the members too (RFC 7644 §3.5.1).
func replaceGroup(q *request) (*response, error) {
	body, err := q.normalized()
	if err != nil {
		return nil, err
	}
	sent, err := store.GroupFromTree(body)
	if err != nil {
		return nil, err
	}
	members := store.MemberChange{Op: store.ReplaceMembers, IDs: memberIDs(sent)}
	delete(body, "members")
	_, err = q.updateGroup(func(current *store.Group) (*store.Group, error) {
		next, err := q.replaced(current, body)
		if err != nil {
			return nil, err
		}
		return store.GroupFromTree(next)
	}, []store.MemberChange{members})
	if err != nil {
		return nil, err
	}
	return q.replyGroupAsStored()
}

// patchGroup answers 204 unless the client asks for attributes: Entra ID wants no body, and a large group is not read for
// one more member.
func patchGroup(q *request) (*response, error) {
	operations, err := q.operations()
	if err != nil {
		return nil, err
	}
	onGroup, onMembers := splitOperations(operations)
	changes, err := q.memberChanges(onMembers)
	if err != nil {
		return nil, err
	}
	g, err := q.updateGroup(func(current *store.Group) (*store.Group, error) {
		body, err := q.patched(current, onGroup)
		if err != nil {
			return nil, err
		}
		return store.GroupFromTree(body)
	}, changes)
	if err != nil {
		return nil, err
	}
	if q.query.Has("attributes") {
		return q.replyGroupAsStored()
	}
	q.resource = g.ID
	r, err := reply(http.StatusNoContent, nil)
	if err != nil {
		return nil, err
	}
	r.describe(g.Meta)
	return r, nil
}

func (q *request) updateGroup(change func(current *store.Group) (*store.Group, error), members []store.MemberChange) (*store.Group, error) {
	return q.directory.UpdateGroup(q.Context(), q.route.id, func(current *store.Group) (*store.Group, error) {
		if err := q.checkPrecondition(current.Meta.Version); err != nil {
			return nil, err
		}
		return change(current)
	}, members, q.isConditional())
}

func deleteGroup(q *request) (*response, error) {
	err := q.directory.DeleteGroup(q.Context(), q.route.id, func(current *store.Group) error {
		return q.checkPrecondition(current.Meta.Version)
	})
	if err != nil {
		return nil, err
	}
	q.resource = q.route.id
	return reply(http.StatusNoContent, nil)
}

// replyGroupAsStored reads the group again, for its members.
func (q *request) replyGroupAsStored() (*response, error) {
	g, err := q.directory.Group(q.Context(), q.route.id, q.projection.Includes("members"))
	if err != nil {
		return nil, err
	}
	return q.replyGroup(http.StatusOK, g)
}

func (q *request) replyGroup(status int, g *store.Group) (*response, error) {
	q.locateGroup(g)
	return q.replyResource(status, g.ID, g.Meta, g)
}

func (q *request) locateGroup(g *store.Group) {
	g.Meta.Location = q.base + "/Groups/" + g.ID
	for i := range g.Members {
		m := &g.Members[i]
		m.Ref = q.base + "/Users/" + m.Value
		if m.Type == "Group" {
			m.Ref = q.base + "/Groups/" + m.Value
		}
	}
}

func memberIDs(g *store.Group) []string {
	ids := make([]string, len(g.Members))
	for i, m := range g.Members {
		ids[i] = m.Value
	}
	return ids
}
