package entra

import (
	"context"
	"fmt"
	"slices"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// play is what one tenant does while it runs.
type play struct {
	tenant *Tenant
	people []Person
	ids    []string // of the people
	names  []string // of the groups
	groups []string // ids of the groups
	leaver int      // the place of the person who is deleted; the others stay
}

func newPlay(t *Tenant, people []Person, names []string) *play {
	return &play{
		tenant: t, people: people, ids: make([]string, len(people)),
		names: names, groups: make([]string, len(names)), leaver: len(people) - 1,
	}
}

func (p *play) acts() []provider.Act {
	people, groups := len(p.people), len(p.groups)
	return []provider.Act{
		{Name: "test the connection", Steps: 1, Step: func(ctx context.Context, _ int) error { return p.tenant.TestConnection(ctx) }},
		{Name: "push people", Steps: people, Step: p.pushPerson},
		{Name: "look people up", Steps: people, Step: p.lookUp},
		{Name: "push another name", Steps: 1, Step: p.marry},
		{Name: "push managers", Steps: people - 1, Step: p.pushManager},
		{Name: "push groups", Steps: groups, Step: p.pushGroup},
		{Name: "push members, 5 at once", Steps: groups, Step: p.pushMembers},
		{Name: "verify groups", Steps: groups, Step: p.verifyGroup},
		{Name: "take out and put back", Steps: groups, Step: p.exchangeMember},
		{Name: "disable and restore", Steps: 1, Step: p.disable},
		{Name: "delete a person", Steps: 1, Step: p.deletePerson},
		{Name: "delete a group", Steps: 1, Step: p.deleteGroup},
		{Name: "verify people", Steps: people - 1, Step: p.verifyPerson},
		{Name: "verify groups again", Steps: groups, Step: p.verifyGroup},
	}
}

func (p *play) pushPerson(ctx context.Context, i int) (err error) {
	p.ids[i], err = p.tenant.PushUser(ctx, p.people[i])
	return err
}

func (p *play) lookUp(ctx context.Context, i int) error {
	return p.tenant.LookUpUser(ctx, p.ids[i], p.people[i])
}

func (p *play) marry(ctx context.Context, _ int) error {
	p.people[0] = p.people[0].married()
	return p.tenant.UpdateUser(ctx, p.ids[0], p.people[0])
}

// pushManager makes everybody report to the first person.
func (p *play) pushManager(ctx context.Context, i int) error {
	return p.tenant.SetManager(ctx, p.ids[i+1], p.ids[0])
}

// pushGroup renames the group to something else and back: a rename keeps it.
func (p *play) pushGroup(ctx context.Context, i int) (err error) {
	if p.groups[i], err = p.tenant.PushGroup(ctx, p.names[i]); err != nil {
		return err
	}
	for _, name := range []string{p.names[i] + " (old)", p.names[i]} {
		if err := p.tenant.RenameGroup(ctx, p.groups[i], name); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) pushMembers(ctx context.Context, i int) error {
	return p.tenant.AddMembers(ctx, p.groups[i], p.members())
}

func (p *play) verifyGroup(ctx context.Context, i int) error {
	return p.tenant.VerifyGroup(ctx, p.groups[i], p.names[i], p.members())
}

// exchangeMember sees that a removal takes out one member only.
func (p *play) exchangeMember(ctx context.Context, i int) error {
	members := p.members()
	if err := p.tenant.RemoveMember(ctx, p.groups[i], members[0]); err != nil {
		return err
	}
	if err := p.tenant.VerifyGroup(ctx, p.groups[i], p.names[i], members[1:]); err != nil {
		return err
	}
	return p.tenant.AddMembers(ctx, p.groups[i], members[:1])
}

// disable sees that a disabled person can still be read and found.
func (p *play) disable(ctx context.Context, _ int) error {
	if err := p.tenant.SetActive(ctx, p.ids[0], false); err != nil {
		return err
	}
	if err := p.tenant.VerifyUser(ctx, p.ids[0], p.people[0], false); err != nil {
		return err
	}
	if err := p.tenant.LookUpUser(ctx, p.ids[0], p.people[0]); err != nil {
		return err
	}
	return p.tenant.SetActive(ctx, p.ids[0], true)
}

func (p *play) deletePerson(ctx context.Context, _ int) error {
	id := p.ids[p.leaver]
	if err := p.tenant.SetActive(ctx, id, false); err != nil {
		return err
	}
	p.ids[p.leaver] = ""
	return p.tenant.DeleteUser(ctx, id, p.people[p.leaver])
}

func (p *play) deleteGroup(ctx context.Context, _ int) error {
	name := fmt.Sprintf("Short-lived (%s)", p.tenant.Dialect)
	id, err := p.tenant.PushGroup(ctx, name)
	if err != nil {
		return err
	}
	if err := p.tenant.AddMembers(ctx, id, p.members()); err != nil {
		return err
	}
	return p.tenant.DeleteGroup(ctx, id, name)
}

func (p *play) verifyPerson(ctx context.Context, i int) error {
	return p.tenant.VerifyUser(ctx, p.ids[i], p.people[i], true)
}

// members are all who are there.
func (p *play) members() []string {
	return slices.DeleteFunc(slices.Clone(p.ids), func(id string) bool { return id == "" })
}
