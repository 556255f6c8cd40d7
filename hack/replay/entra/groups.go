package entra

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/google/uuid"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// atOnce is how many requests Entra ID makes in parallel.
const atOnce = 5

// microsoftSchema comes with every new group, beside that of RFC 7643.
const microsoftSchema = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"

func groupsNamed(name string) string {
	return provider.Groups + "?excludedAttributes=members&filter=" + provider.Percent(provider.Equals("displayName", name))
}

// PushGroup finds a group by name, its members left out, or creates it empty,
// and returns its id.
func (t *Tenant) PushGroup(ctx context.Context, name string) (string, error) {
	found, err := t.client().Find(ctx, groupsNamed(name), provider.AnyCount, "displayName", name)
	if err != nil || found != nil {
		return found.ID(), err
	}
	a, created, err := t.client().Create(ctx, provider.Groups, provider.Resource{
		"schemas":     []string{provider.GroupSchema, microsoftSchema},
		"externalId":  uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String(),
		"displayName": name,
		"meta":        map[string]any{"resourceType": "Group"},
	})
	if err != nil {
		return "", err
	}
	return created.ID(), a.Holds(provider.Resource{"displayName": name}, created)
}

// RenameGroup pushes the group's name.
func (t *Tenant) RenameGroup(ctx context.Context, id, name string) error {
	return t.patchGroup(ctx, id, t.Dialect.operation("Replace", "displayName", name))
}

// AddMembers sends one PATCH per member, five at the same time.
func (t *Tenant) AddMembers(ctx context.Context, id string, members []string) error {
	for batch := range slices.Chunk(members, atOnce) {
		errs := make([]error, len(batch))
		var calls sync.WaitGroup
		for i, member := range batch {
			calls.Go(func() {
				errs[i] = t.patchGroup(ctx, id, t.Dialect.operation("Add", "members", reference(member)))
			})
		}
		calls.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

// RemoveMember takes out one member, and nobody else.
func (t *Tenant) RemoveMember(ctx context.Context, id, member string) error {
	return t.patchGroup(ctx, id, t.Dialect.removal(member))
}

// VerifyGroup reads a group, without its members as Entra ID does, and with
// them for the comparison.
func (t *Tenant) VerifyGroup(ctx context.Context, id, name string, members []string) error {
	a, err := t.client().Send(ctx, http.MethodGet, provider.At(provider.Groups, id)+"?excludedAttributes=members", nil)
	if err != nil {
		return err
	}
	brief, err := a.About(id, http.StatusOK)
	if err != nil {
		return err
	}
	if _, shown := brief["members"]; shown {
		return a.Refuse("a group with members", "one without: they were excluded")
	}
	if err := a.Holds(provider.Resource{"displayName": name}, brief); err != nil {
		return err
	}
	a, whole, err := t.client().Read(ctx, provider.Groups, id)
	if err != nil {
		return err
	}
	return a.HasMembers(whole, members)
}

// DeleteGroup takes a group away.
func (t *Tenant) DeleteGroup(ctx context.Context, id, name string) error {
	if err := t.client().Delete(ctx, provider.Groups, id); err != nil {
		return err
	}
	return t.wantNone(ctx, groupsNamed(name))
}

// patchGroup wants an answer without a body: Entra ID reads none.
func (t *Tenant) patchGroup(ctx context.Context, id string, o provider.Operation) error {
	a, err := t.client().Send(ctx, http.MethodPatch, provider.At(provider.Groups, id), provider.Patch(o))
	if err != nil {
		return err
	}
	return a.Want(http.StatusNoContent)
}
