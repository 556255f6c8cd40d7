package scimserver

import (
	"net/http"

	"github.com/scim-operator/scim-operator/scimserver/store"
)

// userQuery selects users as a list asks for them.
func (q *request) userQuery(p part) *store.UserQuery {
	query := &store.UserQuery{
		Key:    p.key("id", "userName", "externalId", "emails.value"),
		Groups: p.uses("groups"),
	}
	subject := p.subject()
	locate := func(*store.User) {}
	if p.uses("meta", "groups") {
		locate = q.locateUser
	}
	if p.filter != nil {
		query.Match = func(u *store.User) bool {
			locate(u)
			return p.filter.Match(subject(u))
		}
	}
	if p.order != nil {
		query.SortKey = func(u *store.User) string {
			locate(u)
			return p.order.Key(subject(u))
		}
	}
	return query
}

func getUser(q *request) (*response, error) {
	u, err := q.directory.User(q.Context(), q.route.id)
	if err != nil {
		return nil, err
	}
	if err := q.checkPrecondition(u.Meta.Version); err != nil {
		return nil, err
	}
	return q.replyUser(http.StatusOK, u)
}

func createUser(q *request) (*response, error) {
	body, err := q.normalized()
	if err != nil {
		return nil, err
	}
	if _, said := body["active"]; !said {
		body["active"] = true
	}
	u, err := store.UserFromTree(body)
	if err != nil {
		return nil, err
	}
	if u, err = q.directory.CreateUser(q.Context(), u); err != nil {
		return nil, err
	}
	q.created = u
	return q.replyUser(http.StatusCreated, u)
}

// replaceUser is PUT: what the body leaves out is cleared (RFC 7644 §3.5.1), except active.
func replaceUser(q *request) (*response, error) {
	body, err := q.normalized()
	if err != nil {
		return nil, err
	}
	return q.updateUser(func(current *store.User) (*store.User, error) {
		next, err := q.replaced(current, body)
		if err != nil {
			return nil, err
		}
		return nextUser(next, current)
	})
}

func patchUser(q *request) (*response, error) {
	operations, err := q.operations()
	if err != nil {
		return nil, err
	}
	return q.updateUser(func(current *store.User) (*store.User, error) {
		body, err := q.patched(current, operations)
		if err != nil {
			return nil, err
		}
		return nextUser(body, current)
	})
}

// nextUser is the user that current becomes. A body that does not say active keeps it: a request that leaves something out
// must not let a leaver back in, nor lock anybody out.
func nextUser(body map[string]any, current *store.User) (*store.User, error) {
	next, err := store.UserFromTree(body)
	if err != nil {
		return nil, err
	}
	if _, said := body["active"]; !said {
		next.Active = current.Active
	}
	return next, nil
}

func (q *request) updateUser(change func(current *store.User) (*store.User, error)) (*response, error) {
	u, err := q.directory.UpdateUser(q.Context(), q.route.id, func(current *store.User) (*store.User, error) {
		if err := q.checkPrecondition(current.Meta.Version); err != nil {
			return nil, err
		}
		return change(current)
	})
	if err != nil {
		return nil, err
	}
	return q.replyUser(http.StatusOK, u)
}

func deleteUser(q *request) (*response, error) {
	if err := q.removeUser(); err != nil {
		return nil, err
	}
	q.resource = q.route.id
	return reply(http.StatusNoContent, nil)
}

func (q *request) removeUser() error {
	if q.created != nil {
		return q.directory.TakeBackUser(q.Context(), q.created)
	}
	return q.directory.DeleteUser(q.Context(), q.route.id, func(current *store.User) error {
		return q.checkPrecondition(current.Meta.Version)
	})
}

func (q *request) replyUser(status int, u *store.User) (*response, error) {
	q.locateUser(u)
	return q.replyResource(status, u.ID, u.Meta, u)
}

func (q *request) locateUser(u *store.User) {
	u.Meta.Location = q.base + "/Users/" + u.ID
	for i := range u.Groups {
		u.Groups[i].Ref = q.base + "/Groups/" + u.Groups[i].Value
	}
}
