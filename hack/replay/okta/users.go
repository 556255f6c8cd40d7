package okta

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
)

// FindUser looks a person up by userName; nil if there is none.
func (t *Tenant) FindUser(ctx context.Context, userName string) (Resource, error) {
	return t.find(ctx, userEndpoint, "userName", userName)
}

// PushUser is the assignment of a person to the app: it finds the account and
// updates it, reactivated if need be, or creates one. It returns the id.
func (t *Tenant) PushUser(ctx context.Context, p Person) (string, error) {
	found, err := t.FindUser(ctx, p.UserName)
	if err != nil {
		return "", err
	}
	if found == nil {
		return t.CreateUser(ctx, p)
	}
	if found["active"] != true {
		if err := t.SetActive(ctx, found.ID(), true); err != nil {
			return "", err
		}
	}
	return found.ID(), t.UpdateUser(ctx, found.ID(), p)
}

// CreateUser sends the POST of a new or a returning person, with the password
// and the empty groups that Okta always includes, and returns the id.
func (t *Tenant) CreateUser(ctx context.Context, p Person) (string, error) {
	body := p.attributes()
	body["active"] = true
	body["groups"] = []any{}
	body["password"] = rand.Text()
	a, err := t.send(ctx, http.MethodPost, userEndpoint, body)
	if err != nil {
		return "", err
	}
	if err := a.want(http.StatusCreated); err != nil {
		return "", err
	}
	created, err := a.resource()
	if err != nil {
		return "", err
	}
	if name, _ := created["userName"].(string); !strings.EqualFold(name, p.UserName) {
		return "", a.refuse("a user whose userName is "+text(created["userName"]), "the userName it sent")
	}
	return created.ID(), checkActive(a, created, true)
}

// UpdateUser pushes a changed profile: GET, edit, PUT the whole back, in both
// kinds of app.
func (t *Tenant) UpdateUser(ctx context.Context, id string, p Person) error {
	_, stored, err := t.get(ctx, userEndpoint, id)
	if err != nil {
		return err
	}
	a, updated, err := t.putUser(ctx, p.edit(stored))
	if err != nil {
		return err
	}
	return p.check(a, updated)
}

// SetActive deactivates a person, or activates one again. Okta never deletes
// a user.
func (t *Tenant) SetActive(ctx context.Context, id string, active bool) error {
	if t.App == Catalogue {
		a, err := t.send(ctx, http.MethodPatch, at(userEndpoint, id), patch(operation{Op: "replace", Value: Resource{"active": active}}))
		if err != nil {
			return err
		}
		changed, err := a.about(id, http.StatusOK, http.StatusNoContent)
		if err != nil || changed == nil {
			return err
		}
		return checkActive(a, changed, active)
	}
	_, stored, err := t.get(ctx, userEndpoint, id)
	if err != nil {
		return err
	}
	stored["active"] = active
	a, changed, err := t.putUser(ctx, stored)
	if err != nil {
		return err
	}
	return checkActive(a, changed, active)
}

// VerifyUser reads a person and compares every attribute that was pushed.
func (t *Tenant) VerifyUser(ctx context.Context, id string, p Person, active bool) error {
	a, stored, err := t.get(ctx, userEndpoint, id)
	if err != nil {
		return err
	}
	if err := p.check(a, stored); err != nil {
		return err
	}
	return checkActive(a, stored, active)
}

// VerifyGone checks that a person is inactive, or no longer listed where the
// server takes leavers away.
func (t *Tenant) VerifyGone(ctx context.Context, userName string) error {
	found, err := t.FindUser(ctx, userName)
	if err != nil || found == nil || found["active"] == false {
		return err
	}
	return &Refusal{
		Request: "GET " + userEndpoint + " for " + userName,
		Answer:  "a user whose active is " + text(found["active"]),
		Need:    "active false after the deactivation",
	}
}

func (t *Tenant) putUser(ctx context.Context, r Resource) (answer, Resource, error) {
	a, err := t.send(ctx, http.MethodPut, at(userEndpoint, r.ID()), r)
	if err != nil {
		return answer{}, nil, err
	}
	updated, err := a.about(r.ID(), http.StatusOK)
	return a, updated, err
}

func (p Person) check(a answer, stored Resource) error {
	if got, need, differs := p.mismatch(stored); differs {
		return a.refuse(got, need)
	}
	return nil
}

func checkActive(a answer, r Resource, active bool) error {
	if r["active"] == active {
		return nil
	}
	return a.refuse("a user whose active is "+text(r["active"]), "active "+text(active))
}
