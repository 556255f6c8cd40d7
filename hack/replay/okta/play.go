package okta

import (
	"context"
	"slices"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// play is the demo of one app while it runs.
type play struct {
	tenant *Tenant
	roster roster
	ids    []string // of the roster's people
	groups []*Group // of the roster's groups
}

func newPlay(t *Tenant, r roster) *play {
	return &play{tenant: t, roster: r, ids: make([]string, len(r.people)), groups: make([]*Group, len(r.groups))}
}

func (p *play) acts() []provider.Act {
	people, groups := len(p.roster.people), len(p.roster.groups)
	return []provider.Act{
		{Name: "test the credentials", Steps: 1, Step: p.testCredentials},
		{Name: "import", Steps: 1, Step: p.importAll},
		{Name: "push people", Steps: people, Step: p.pushPerson},
		{Name: "push a new title", Steps: 1, Step: p.promote},
		{Name: "push groups", Steps: groups, Step: p.pushGroup},
		{Name: "push group names", Steps: groups, Step: p.renameGroup},
		{Name: "exchange members", Steps: min(groups, 1), Step: p.exchangeMembers},
		{Name: "push a group now", Steps: min(groups, 1), Step: p.pushNow},
		{Name: "deactivate a person", Steps: 1, Step: p.deactivate},
		{Name: "bring the person back", Steps: 1, Step: p.bringBack},
		{Name: "unassign a person", Steps: 1, Step: p.unassign},
		{Name: "verify people", Steps: people, Step: p.verifyPerson},
		{Name: "verify groups", Steps: groups, Step: p.verifyGroup},
	}
}

func (p *play) run(ctx context.Context, progress func(provider.Event)) error {
	return provider.Play(ctx, string(p.tenant.App), p.acts(), progress)
}

// The last person leaves and comes back, the one before leaves for good.
func (p *play) returner() int { return len(p.roster.people) - 1 }
func (p *play) leaver() int   { return len(p.roster.people) - 2 }

func (p *play) testCredentials(ctx context.Context, _ int) error {
	return p.tenant.TestCredentials(ctx)
}

func (p *play) importAll(ctx context.Context, _ int) error {
	if _, err := p.tenant.ImportUsers(ctx); err != nil {
		return err
	}
	_, err := p.tenant.ImportGroups(ctx)
	return err
}

func (p *play) pushPerson(ctx context.Context, i int) (err error) {
	p.ids[i], err = p.tenant.PushUser(ctx, p.roster.people[i])
	return err
}

func (p *play) promote(ctx context.Context, _ int) error {
	p.roster.people[0] = p.roster.people[0].promoted()
	return p.tenant.UpdateUser(ctx, p.ids[0], p.roster.people[0])
}

// pushGroup links the group if it exists, under its old name or its new one.
// Of the new ones, every second is created empty and then filled.
func (p *play) pushGroup(ctx context.Context, i int) error {
	planned := p.roster.groups[i]
	members := p.members(planned.members)
	for _, name := range slices.Compact([]string{planned.name, planned.finalName()}) {
		found, err := p.tenant.FindGroup(ctx, name)
		if err != nil {
			return err
		}
		if found != nil {
			p.groups[i], err = p.tenant.LinkGroup(ctx, found.ID(), name, members)
			return err
		}
	}

	var err error
	if i%2 == 1 {
		p.groups[i], err = p.tenant.CreateGroup(ctx, planned.name, members)
		return err
	}
	if p.groups[i], err = p.tenant.CreateGroup(ctx, planned.name, nil); err != nil {
		return err
	}
	return p.tenant.ChangeMembers(ctx, p.groups[i], members, nil)
}

func (p *play) renameGroup(ctx context.Context, i int) error {
	return p.tenant.RenameGroup(ctx, p.groups[i], p.roster.groups[i].finalName())
}

// exchangeMembers takes the first group's first member out and lets somebody
// from elsewhere in.
func (p *play) exchangeMembers(ctx context.Context, _ int) error {
	var add, remove []Member
	planned := p.roster.groups[0].members
	if newcomer := p.roster.outsider(planned); newcomer >= 0 {
		add = p.members([]int{newcomer})
	}
	if len(planned) > 0 {
		remove = p.members(planned[:1])
	}
	return p.tenant.ChangeMembers(ctx, p.groups[0], add, remove)
}

func (p *play) pushNow(ctx context.Context, _ int) error {
	return p.tenant.PushNow(ctx, p.groups[0])
}

func (p *play) deactivate(ctx context.Context, _ int) error {
	return p.letGo(ctx, p.returner())
}

// bringBack is the second assignment: a Catalogue app activates the account
// that it finds, a Wizard app here posts the person afresh. Either way the
// person must come back under the old id, which the groups still name.
func (p *play) bringBack(ctx context.Context, _ int) error {
	i := p.returner()
	id, err := p.assignAgain(ctx, p.roster.people[i])
	if err != nil {
		return err
	}
	if id != p.ids[i] {
		return &provider.Refusal{Provider: self, Request: "POST " + provider.Users, Answer: "a person back under the new id " + id, Need: "the old id " + p.ids[i]}
	}
	for _, g := range p.groupsOf(i) {
		if err := p.tenant.ChangeMembers(ctx, g, p.members([]int{i}), nil); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) assignAgain(ctx context.Context, person Person) (string, error) {
	if p.tenant.App == Catalogue {
		return p.tenant.PushUser(ctx, person)
	}
	return p.tenant.CreateUser(ctx, person)
}

// unassign takes the person out of the pushed groups before the deactivation.
func (p *play) unassign(ctx context.Context, _ int) error {
	i := p.leaver()
	for _, g := range p.groupsOf(i) {
		if err := p.tenant.ChangeMembers(ctx, g, nil, p.members([]int{i})); err != nil {
			return err
		}
	}
	return p.letGo(ctx, i)
}

func (p *play) letGo(ctx context.Context, i int) error {
	if err := p.tenant.SetActive(ctx, p.ids[i], false); err != nil {
		return err
	}
	return p.tenant.VerifyGone(ctx, p.roster.people[i].UserName)
}

func (p *play) verifyPerson(ctx context.Context, i int) error {
	if i == p.leaver() {
		return p.tenant.VerifyGone(ctx, p.roster.people[i].UserName)
	}
	return p.tenant.VerifyUser(ctx, p.ids[i], p.roster.people[i], true)
}

func (p *play) verifyGroup(ctx context.Context, i int) error {
	return p.tenant.VerifyGroup(ctx, p.groups[i])
}

// members are the people at these places as Okta names them in a group.
func (p *play) members(places []int) []Member {
	members := make([]Member, 0, len(places))
	for _, i := range places {
		members = append(members, Member{ID: p.ids[i], Display: p.roster.people[i].UserName})
	}
	return members
}

func (p *play) groupsOf(i int) []*Group {
	return slices.DeleteFunc(slices.Clone(p.groups), func(g *Group) bool { return !slices.Contains(ids(g.Members), p.ids[i]) })
}
