package connect

import (
	"context"
	"fmt"
	"maps"

	"github.com/google/uuid"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// guest is the user or the group that a provider makes for its test, and takes
// away again. Its name is a new one each time.
type guest struct {
	client                    *provider.Client
	endpoint, attribute, name string
	id                        string // empty until it is created
}

func newUser(c *provider.Client) *guest {
	return &guest{client: c, endpoint: provider.Users, attribute: "userName", name: uuid.NewString() + "@test.example"}
}

func newGroup(c *provider.Client) *guest {
	return &guest{client: c, endpoint: provider.Groups, attribute: "displayName", name: "Test " + uuid.NewString()}
}

// missing wants the guest not to be found yet, or no longer.
func (g *guest) missing(ctx context.Context) error {
	return g.absent(ctx, g.attribute, g.name)
}

func (g *guest) absent(ctx context.Context, attribute, value string) error {
	path := fmt.Sprintf("%s&startIndex=1&count=10", provider.Filtered(g.endpoint, provider.Equals(attribute, value)))
	found, err := g.client.Find(ctx, path, 10, attribute, value)
	if err == nil && found != nil {
		return &provider.Refusal{Provider: g.client.Name, Request: "GET " + path, Answer: "the resource " + found.ID(), Need: "an empty list"}
	}
	return err
}

// create posts the guest with more attributes and wants those of want in the
// answer.
func (g *guest) create(ctx context.Context, more, want provider.Resource) error {
	body := provider.Resource{g.attribute: g.name}
	maps.Copy(body, more)
	a, created, err := g.client.Create(ctx, g.endpoint, body)
	if err != nil {
		return err
	}
	g.id = created.ID()
	if err := a.Holds(provider.Resource{g.attribute: g.name}, created); err != nil {
		return err
	}
	return a.Holds(want, created)
}

// update puts the whole back with changes, and wants those of want in it.
func (g *guest) update(ctx context.Context, changes, want provider.Resource) error {
	_, stored, err := g.client.Read(ctx, g.endpoint, g.id)
	if err != nil {
		return err
	}
	maps.Copy(stored, changes)
	a, updated, err := g.client.Put(ctx, g.endpoint, stored)
	if err != nil {
		return err
	}
	return a.Holds(want, updated)
}

// delete takes the guest away and sees that it is gone.
func (g *guest) delete(ctx context.Context) error {
	if err := g.client.Delete(ctx, g.endpoint, g.id); err != nil {
		return err
	}
	return g.missing(ctx)
}

// hasMembers wants the guest, a group, to have these members and no others.
func (g *guest) hasMembers(ctx context.Context, ids ...string) error {
	a, stored, err := g.client.Read(ctx, g.endpoint, g.id)
	if err != nil {
		return err
	}
	return a.HasMembers(stored, ids)
}
