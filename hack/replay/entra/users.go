package entra

import (
	"context"
	"net/http"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// FindUser looks a person up by userName; nil if there is none.
func (t *Tenant) FindUser(ctx context.Context, userName string) (provider.Resource, error) {
	path := provider.Filtered(provider.Users, provider.Equals("userName", userName))
	return t.client().Find(ctx, path, provider.AnyCount, "userName", userName)
}

// PushUser finds or creates the account of a person, brings its attributes up
// to date and returns its id.
func (t *Tenant) PushUser(ctx context.Context, p Person) (string, error) {
	found, err := t.FindUser(ctx, p.UserName)
	if err != nil {
		return "", err
	}
	if found == nil {
		var a provider.Answer
		if a, found, err = t.client().Create(ctx, provider.Users, p.post()); err != nil {
			return "", err
		}
		if err := a.Holds(provider.Resource{"userName": p.UserName, "active": true}, found); err != nil {
			return "", err
		}
	}
	return found.ID(), t.UpdateUser(ctx, found.ID(), p)
}

// UpdateUser pushes the profile. A work address that is not there yet is made
// by the Replace of its value.
func (t *Tenant) UpdateUser(ctx context.Context, id string, p Person) error {
	operations := append(t.Dialect.profile(p), t.Dialect.operation("Add", "externalId", p.ObjectID))
	a, changed, err := t.client().Patch(ctx, provider.Users, id, operations...)
	if err != nil || changed == nil {
		return err
	}
	return a.Holds(p.attributes(), changed)
}

// SetActive soft-deletes a person with a Replace, or restores one with an Add.
func (t *Tenant) SetActive(ctx context.Context, id string, active bool) error {
	op := "Replace"
	if active {
		op = "Add"
	}
	if _, _, err := t.client().Patch(ctx, provider.Users, id, t.Dialect.operation(op, "active", t.Dialect.boolean(active))); err != nil {
		return err
	}
	return t.verify(ctx, id, provider.Resource{"active": active})
}

// SetManager names a person's manager by a bare id.
func (t *Tenant) SetManager(ctx context.Context, id, manager string) error {
	if _, _, err := t.client().Patch(ctx, provider.Users, id, t.Dialect.operation("Add", t.Dialect.managerPath(), manager)); err != nil {
		return err
	}
	return t.verify(ctx, id, provider.Resource{provider.EnterpriseSchema: map[string]any{"manager": map[string]any{"value": manager}}})
}

// LookUpUser finds a person by everything that Entra ID matches by, also with
// a value that lacks its quotes.
func (t *Tenant) LookUpUser(ctx context.Context, id string, p Person) error {
	for _, filter := range []string{
		provider.Equals("externalId", p.ObjectID),
		provider.Equals(workAddress, p.UserName),
		provider.Equals("id", id),
		"userName eq " + p.UserName,
		provider.Equals("userName", p.UserName) + ` and meta.lastModified ge "2011-05-13T04:42:34Z"`,
	} {
		if err := t.wantOnly(ctx, provider.Filtered(provider.Users, filter), id); err != nil {
			return err
		}
	}
	return nil
}

// VerifyUser reads a person and compares every attribute that was pushed.
func (t *Tenant) VerifyUser(ctx context.Context, id string, p Person, active bool) error {
	want := p.attributes()
	want["active"] = active
	return t.verify(ctx, id, want)
}

// DeleteUser is the hard deletion, after which nobody can find the person.
func (t *Tenant) DeleteUser(ctx context.Context, id string, p Person) error {
	if err := t.client().Delete(ctx, provider.Users, id); err != nil {
		return err
	}
	a, err := t.client().Send(ctx, http.MethodGet, provider.At(provider.Users, id), nil)
	if err != nil {
		return err
	}
	if err := a.Want(http.StatusNotFound); err != nil {
		return err
	}
	return t.wantNone(ctx, provider.Filtered(provider.Users, provider.Equals("userName", p.UserName)))
}

func (t *Tenant) verify(ctx context.Context, id string, want provider.Resource) error {
	a, stored, err := t.client().Read(ctx, provider.Users, id)
	if err != nil {
		return err
	}
	return a.Holds(want, stored)
}
