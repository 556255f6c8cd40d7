package okta

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// Group is a pushed group as Okta remembers it. The methods that change the
// group on the server keep it up to date.
type Group struct {
	ID      string
	Name    string
	Members []Member
}

// FindGroup looks a group up by displayName; nil if there is none.
func (t *Tenant) FindGroup(ctx context.Context, name string) (Resource, error) {
	return t.find(ctx, groupEndpoint, "displayName", name)
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
	body := Resource{"schemas": []string{groupSchema}, "displayName": name, "members": listed(members)}
	a, err := t.send(ctx, http.MethodPost, groupEndpoint, body)
	if err != nil {
		return nil, err
	}
	if err := a.want(http.StatusCreated); err != nil {
		return nil, err
	}
	created, err := a.resource()
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
		err = t.patchGroup(ctx, renamed, operation{Op: "replace", Value: Resource{"id": g.ID, "displayName": name}})
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
	var operations []operation
	for _, m := range remove {
		operations = append(operations, operation{Op: "remove", Path: fmt.Sprintf("members[value eq \"%s\"]", quotes.Replace(m.ID))})
	}
	if len(add) > 0 {
		operations = append(operations, operation{Op: "add", Path: "members", Value: add})
	}
	return t.setMembers(ctx, g, g.with(add, remove), operations)
}

// ReplaceMembers is the full push of a group: this list and nobody else.
func (t *Tenant) ReplaceMembers(ctx context.Context, g *Group, members []Member) error {
	return t.setMembers(ctx, g, members, []operation{{Op: "replace", Path: "members", Value: listed(members)}})
}

// PushNow is the full push that an administrator asks for. It sends the known
// members again; a Catalogue app names no path in it.
func (t *Tenant) PushNow(ctx context.Context, g *Group) error {
	return t.setMembers(ctx, g, g.Members, []operation{{Op: "replace", Value: Resource{"members": listed(g.Members)}}})
}

// DeleteGroup is the end of a group push that also deletes the group.
func (t *Tenant) DeleteGroup(ctx context.Context, g *Group) error {
	a, err := t.send(ctx, http.MethodDelete, at(groupEndpoint, g.ID), nil)
	if err != nil {
		return err
	}
	return a.want(http.StatusNoContent)
}

// VerifyGroup reads a group and compares its name and its members.
func (t *Tenant) VerifyGroup(ctx context.Context, g *Group) error {
	a, stored, err := t.get(ctx, groupEndpoint, g.ID)
	if err != nil {
		return err
	}
	if err := g.checkName(a, stored); err != nil {
		return err
	}
	return g.checkMembers(a, stored)
}

func (t *Tenant) setMembers(ctx context.Context, g *Group, members []Member, operations []operation) error {
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

func (t *Tenant) patchGroup(ctx context.Context, want Group, operations ...operation) error {
	return t.writeGroup(ctx, http.MethodPatch, want, patch(operations...))
}

func (t *Tenant) putGroup(ctx context.Context, want Group, body Resource) error {
	return t.writeGroup(ctx, http.MethodPut, want, body)
}

// writeGroup accepts an answer without a body, as Okta does.
func (t *Tenant) writeGroup(ctx context.Context, method string, want Group, body Resource) error {
	a, err := t.send(ctx, method, at(groupEndpoint, want.ID), body)
	if err != nil {
		return err
	}
	changed, err := a.about(want.ID, http.StatusOK, http.StatusNoContent)
	if err != nil || changed == nil {
		return err
	}
	return want.checkName(a, changed)
}

func (g Group) resource() Resource {
	return Resource{"schemas": []string{groupSchema}, "displayName": g.Name, "members": listed(g.Members)}
}

func (g Group) checkName(a answer, stored Resource) error {
	if stored["displayName"] == g.Name {
		return nil
	}
	return a.refuse("a group whose displayName is "+text(stored["displayName"]), "displayName "+text(g.Name)+", as pushed")
}
