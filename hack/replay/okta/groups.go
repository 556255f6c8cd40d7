package okta

import (
	"context"
	"net/http"
	"slices"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// Group is a pushed group as Okta remembers it. The methods that change the
// group on the server keep it up to date.
type Group struct {
	ID      string
	Name    string
	Members []Member
}

// FindGroup looks a group up by displayName; nil if there is none.
func (t *Tenant) FindGroup(ctx context.Context, name string) (provider.Resource, error) {
	return t.find(ctx, provider.Groups, "displayName", name)
}

// LinkGroup pushes to a group that exists on the server: Okta's name and
// members take the place of what it had.
func (t *Tenant) LinkGroup(ctx context.Context, id, name string, members []Member) (*Group, error) {
	g := &Group{ID: id, Name: name}
	if t.App == Catalogue {
		if err := t.RenameGroup(ctx, g, name); err != nil {
			return nil, err
		}
	}
	return g, t.ReplaceMembers(ctx, g, members)
}

// CreateGroup sends the POST of a new group and the name once more, as Okta
// does right after a creation.
func (t *Tenant) CreateGroup(ctx context.Context, name string, members []Member) (*Group, error) {
	body := provider.Resource{"schemas": []string{provider.GroupSchema}, "displayName": name, "members": listed(members)}
	a, created, err := t.client().Create(ctx, provider.Groups, body)
	if err != nil {
		return nil, err
	}
	g := &Group{ID: created.ID(), Name: name, Members: slices.Clone(members)}
	if err := g.checkName(a, created); err != nil {
		return nil, err
	}
	return g, t.RenameGroup(ctx, g, name)
}

// RenameGroup pushes the group's name, changed or not. The PUT of a Wizard app
// carries no id here.
func (t *Tenant) RenameGroup(ctx context.Context, g *Group, name string) error {
	renamed := Group{ID: g.ID, Name: name, Members: g.Members}
	var err error
	if t.App == Wizard {
		err = t.putGroup(ctx, renamed, renamed.resource())
	} else {
		err = t.patchGroup(ctx, renamed, provider.Operation{Op: "replace", Value: provider.Resource{"id": g.ID, "displayName": name}})
	}
	if err == nil {
		*g = renamed
	}
	return err
}

// ChangeMembers takes members out and puts others in with one request. A
// Catalogue app sends the name again before it. Without a change it sends
// nothing.
func (t *Tenant) ChangeMembers(ctx context.Context, g *Group, add, remove []Member) error {
	if len(add)+len(remove) == 0 {
		return nil
	}
	var operations []provider.Operation
	for _, m := range remove {
		operations = append(operations, provider.Operation{Op: "remove", Path: "members[" + provider.Equals("value", m.ID) + "]"})
	}
	if len(add) > 0 {
		operations = append(operations, provider.Operation{Op: "add", Path: "members", Value: add})
	}
	return t.setMembers(ctx, g, g.with(add, remove), operations)
}

// ReplaceMembers is the full push of a group: this list and nobody else.
func (t *Tenant) ReplaceMembers(ctx context.Context, g *Group, members []Member) error {
	return t.setMembers(ctx, g, members, []provider.Operation{{Op: "replace", Path: "members", Value: listed(members)}})
}

// PushNow is the full push that an administrator asks for. It sends the known
// members again; a Catalogue app names no path in it.
func (t *Tenant) PushNow(ctx context.Context, g *Group) error {
	return t.setMembers(ctx, g, g.Members, []provider.Operation{{Op: "replace", Value: provider.Resource{"members": listed(g.Members)}}})
}

// DeleteGroup is the end of a group push that also deletes the group.
func (t *Tenant) DeleteGroup(ctx context.Context, g *Group) error {
	return t.client().Delete(ctx, provider.Groups, g.ID)
}

// VerifyGroup reads a group and compares its name and its members.
func (t *Tenant) VerifyGroup(ctx context.Context, g *Group) error {
	a, stored, err := t.client().Read(ctx, provider.Groups, g.ID)
	if err != nil {
		return err
	}
	if err := g.checkName(a, stored); err != nil {
		return err
	}
	return a.HasMembers(stored, ids(g.Members))
}

func (t *Tenant) setMembers(ctx context.Context, g *Group, members []Member, operations []provider.Operation) error {
	changed := Group{ID: g.ID, Name: g.Name, Members: slices.Clone(members)}
	var err error
	if t.App == Wizard {
		body := changed.resource()
		body["id"] = g.ID
		err = t.putGroup(ctx, changed, body)
	} else if err = t.RenameGroup(ctx, g, g.Name); err == nil {
		err = t.patchGroup(ctx, changed, operations...)
	}
	if err == nil {
		*g = changed
	}
	return err
}

func (t *Tenant) patchGroup(ctx context.Context, want Group, operations ...provider.Operation) error {
	return t.writeGroup(ctx, http.MethodPatch, want, provider.Patch(operations...))
}

func (t *Tenant) putGroup(ctx context.Context, want Group, body provider.Resource) error {
	return t.writeGroup(ctx, http.MethodPut, want, body)
}

// writeGroup accepts an answer without a body, as Okta does.
func (t *Tenant) writeGroup(ctx context.Context, method string, want Group, body provider.Resource) error {
	a, err := t.client().Send(ctx, method, provider.At(provider.Groups, want.ID), body)
	if err != nil {
		return err
	}
	changed, err := a.About(want.ID, http.StatusOK, http.StatusNoContent)
	if err != nil || changed == nil {
		return err
	}
	return want.checkName(a, changed)
}

func (g Group) resource() provider.Resource {
	return provider.Resource{"schemas": []string{provider.GroupSchema}, "displayName": g.Name, "members": listed(g.Members)}
}

func (g Group) checkName(a provider.Answer, stored provider.Resource) error {
	if stored["displayName"] == g.Name {
		return nil
	}
	return a.Refuse("a group whose displayName is "+provider.Text(stored["displayName"]), "displayName "+provider.Text(g.Name)+", as pushed")
}
