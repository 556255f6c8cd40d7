package okta

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// FindUser looks a person up by the unique identifier field, which is the userName or the work address: the same here;
// nil if there is none.
func (t *Tenant) FindUser(ctx context.Context, userName string) (provider.Resource, error) {
	return t.find(ctx, provider.Users, cmp.Or(t.Identifier, "userName"), userName)
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
	a, created, err := t.client().Create(ctx, provider.Users, body)
	if err != nil {
		return "", err
	}
	if name, _ := created["userName"].(string); !strings.EqualFold(name, p.UserName) {
		return "", a.Refuse("a user whose userName is "+provider.Text(created["userName"]), "the userName it sent")
	}
	return created.ID(), checkActive(a, created, true)
}

// UpdateUser pushes a changed profile: GET, edit, PUT the whole back, in both
// kinds of app.
func (t *Tenant) UpdateUser(ctx context.Context, id string, p Person) error {
	_, stored, err := t.client().Read(ctx, provider.Users, id)
	if err != nil {
		return err
	}
	a, updated, err := t.client().Put(ctx, provider.Users, p.edit(stored))
	if err != nil {
		return err
	}
	return p.check(a, updated)
}

// SetActive deactivates a person, or activates one again. Okta never deletes
// a user.
func (t *Tenant) SetActive(ctx context.Context, id string, active bool) error {
	if t.App == Catalogue {
		a, err := t.client().Send(ctx, http.MethodPatch, provider.At(provider.Users, id), provider.Patch(provider.Operation{Op: "replace", Value: provider.Resource{"active": active}}))
		if err != nil {
			return err
		}
		changed, err := a.About(id, http.StatusOK, http.StatusNoContent)
		if err != nil || changed == nil {
			return err
		}
		return checkActive(a, changed, active)
	}
	_, stored, err := t.client().Read(ctx, provider.Users, id)
	if err != nil {
		return err
	}
	stored["active"] = active
	a, changed, err := t.client().Put(ctx, provider.Users, stored)
	if err != nil {
		return err
	}
	return checkActive(a, changed, active)
}

// VerifyUser reads a person and compares every attribute that was pushed.
func (t *Tenant) VerifyUser(ctx context.Context, id string, p Person, active bool) error {
	a, stored, err := t.client().Read(ctx, provider.Users, id)
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
	return &provider.Refusal{
		Provider: self,
		Request:  "GET " + provider.Users + " for " + userName,
		Answer:   "a user whose active is " + provider.Text(found["active"]),
		Need:     "active false after the deactivation",
	}
}

func (p Person) check(a provider.Answer, stored provider.Resource) error {
	want := p.attributes()
	delete(want, "schemas")
	return a.Holds(want, stored)
}

func checkActive(a provider.Answer, r provider.Resource, active bool) error {
	if r["active"] == active {
		return nil
	}
	return a.Refuse("a user whose active is "+provider.Text(r["active"]), "active "+provider.Text(active))
}
