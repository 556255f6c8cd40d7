package store

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// +kubebuilder:rbac:groups=scim-operator.io,resources=scimtombstones,verbs=get;list;watch;create;update;delete

// Who is deleted leaves a tombstone first, and who comes back is created first and loses the tombstone then: whatever
// happens in between, the person is there or is remembered. A tombstone beside its user counts for nothing; the controllers
// delete it.

func directoryOfTombstone(t *v1alpha1.ScimTombstone) directoryKey {
	return directoryKey{t.Namespace, t.Spec.DirectoryRef.Name}
}

func tombstoneKeys(t *v1alpha1.ScimTombstone) []Key {
	return []Key{{"identifierSHA256", t.Spec.IdentifierSHA256}}
}

// epitaph is what a tombstone says of a user.
func (d *Directory) epitaph(p *policy, u *v1alpha1.ScimUser) v1alpha1.ScimTombstoneSpec {
	hash := func(value string) string { return v1alpha1.TombstoneHash(d.key.namespace, d.key.name, value) }
	spec := v1alpha1.ScimTombstoneSpec{
		DirectoryRef:     v1alpha1.DirectoryReference{Name: d.key.name},
		IdentifierSHA256: hash(identity(p.users.Identifier, u).Value),
		DeletionTime:     metav1.NewTime(d.store.now()),
	}
	if u.Spec.ExternalID != "" {
		spec.ExternalIDSHA256 = hash(u.Spec.ExternalID)
	}
	return spec
}

// bury leaves a tombstone for a user who is about to be deleted, in place of one from an attempt that did not come so far.
func (d *Directory) bury(ctx context.Context, p *policy, u *v1alpha1.ScimUser) error {
	if p.users.TombstoneTTL.Duration == 0 {
		return nil
	}
	c := d.store.client
	t := &v1alpha1.ScimTombstone{ObjectMeta: metav1.ObjectMeta{Namespace: u.Namespace, Name: u.Name}, Spec: d.epitaph(p, u)}
	d.stamp(ctx, t)
	err := c.Create(ctx, t)
	for apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err) {
		if err = c.Get(ctx, client.ObjectKeyFromObject(u), t); err == nil {
			t.Spec = d.epitaph(p, u)
			d.stamp(ctx, t)
			err = c.Update(ctx, t)
		}
	}
	if err != nil {
		return fromAPI(err)
	}
	return d.store.tombstones.waitFor(ctx, t)
}

// tombstoneOf returns the latest tombstone of the person who is to be created; nil if there is none that counts.
func (d *Directory) tombstoneOf(p *policy, u *v1alpha1.ScimUser) (latest *v1alpha1.ScimTombstone) {
	sought := d.epitaph(p, u)
	d.read(func(ix *directoryIndex) {
		for _, t := range ix.tombstones.byKey[Key{"identifierSHA256", sought.IdentifierSHA256}] {
			_, alive := ix.users.byName[t.Name]
			switch {
			case alive, !remembers(t, sought, p.users.TombstoneTTL.Duration):
			case latest == nil, latest.Spec.DeletionTime.Before(&t.Spec.DeletionTime):
				latest = t
			}
		}
	})
	return latest
}

// remembers says whether a tombstone of the same identifier is that of the person sought at this time: it is not too old,
// and the externalId, which survives a change of the identifier, does not say otherwise.
func remembers(t *v1alpha1.ScimTombstone, sought v1alpha1.ScimTombstoneSpec, ttl time.Duration) bool {
	contradicts := t.Spec.ExternalIDSHA256 != "" && sought.ExternalIDSHA256 != "" &&
		t.Spec.ExternalIDSHA256 != sought.ExternalIDSHA256
	return !contradicts && sought.DeletionTime.Sub(t.Spec.DeletionTime.Time) < ttl
}

// raise creates a user under the id of a tombstone, and without the memberships in groups that it had when it was deleted:
// the identity provider says anew where it is a member. It returns a *UniquenessError if another replica was first, and
// errNotFormer or ErrNotFound if the tombstone is of somebody who is there under another name, or has gone again.
func (d *Directory) raise(ctx context.Context, p *policy, t *v1alpha1.ScimTombstone, u *v1alpha1.ScimUser) (*v1alpha1.ScimUser, error) {
	k := d.store.users
	u = &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: t.Name}, Spec: *u.Spec.DeepCopy()}
	if groups := d.groupsWithMember(ctx, u.Name); len(groups) > 0 {
		// They are left over only if the user is not there.
		switch there, err := fetch(ctx, d, k, u.Name); {
		case err == nil:
			return nil, occupied(p, there, u)
		case !errors.Is(err, ErrNotFound):
			return nil, err
		}
		for _, g := range groups {
			if _, err := d.aside().editMembers(ctx, g, memberEdit{remove: setOf([]string{u.Name})}); err != nil {
				return nil, err
			}
		}
	}
	d.stamp(ctx, u)
	u, err := create(ctx, d, k, p, u)
	if errors.Is(err, errNotFormer) {
		there, err := fetch(ctx, d, k, u.Name)
		if err == nil {
			err = occupied(p, there, u)
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	d.noteReturn()
	d.tidy(ctx, "the tombstone of a user who is back", t.Name, func(ctx context.Context) error {
		return client.IgnoreNotFound(d.store.client.Delete(ctx, t, client.Preconditions{UID: new(t.UID)}))
	})
	return u, nil
}

// occupied is the error when somebody is there under the id that a user is to have.
func occupied(p *policy, there, u *v1alpha1.ScimUser) error {
	if id := identity(p.users.Identifier, u); id == identity(p.users.Identifier, there) {
		return taken(id.Attribute, there.Name)
	}
	return errNotFormer
}
