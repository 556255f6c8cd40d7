package store

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// UserQuery selects users.
type UserQuery struct {
	// Key limits the query to the users with this key.
	Key *Key
	// Match, unless nil, selects among them. It must not keep the user, which is reused.
	Match func(*User) bool
	// SortKey returns what a user is sorted by, where the list is sorted. It must not keep the user, either.
	SortKey func(*User) string
	// Groups says that Match or SortKey looks at the user's groups.
	Groups bool
}

// User returns one user, or ErrNotFound.
func (d *Directory) User(ctx context.Context, id string) (*User, error) {
	obj, err := findShown(ctx, d, d.store.users, id)
	if err != nil {
		return nil, err
	}
	return d.presentUser(ctx, obj), nil
}

// lookAtUsers returns how a query looks at each user, nil if it does not.
func (d *Directory) lookAtUsers(ctx context.Context, q *UserQuery) func(*v1alpha1.ScimUser) (bool, string, error) {
	if q.Match == nil && q.SortKey == nil {
		return nil
	}
	var view User
	return func(obj *v1alpha1.ScimUser) (bool, string, error) {
		view = userOf(obj)
		if q.Groups {
			view.Groups = d.groupRefs(ctx, obj.Name)
		}
		selected, sortKey := look(&view, q.Match, q.SortKey)
		return selected, sortKey, nil
	}
}

// CreateUser stores a new user and returns it. An identity provider that assigns a leaver again may post the person anew:
// an inactive user with the same externalId, or with the same identifier and no other externalId, is brought back under
// its old id, and so is one who was deleted not too long ago. A mirror of the same identifier is taken over, where the policy
// has it so. It returns a *UniquenessError if another user holds the userName or the identifier, and a *schema.Error if the
// policy does not let the user in.
func (d *Directory) CreateUser(ctx context.Context, u *User) (*User, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	s, p := d.store, d.policy()
	obj := &v1alpha1.ScimUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.key.namespace, Name: newID()},
		Spec:       d.userSpec(u),
	}
	if err := checkNew(p, obj); err != nil {
		return nil, err
	}
	keys := s.users.unique(p, obj)
	if u.ExternalID != "" {
		keys = append(keys, Key{"externalId", u.ExternalID})
	}
	defer s.locks.lock(d.key, keys...)()
	made, before, err := d.bringBack(ctx, p, obj)
	if errors.Is(err, errNotFormer) {
		d.stamp(ctx, obj)
		made, err = create(ctx, d, s.users, p, obj)
		if _, lost := errors.AsType[*UniquenessError](err); lost {
			// The controllers may have just made a mirror of the person.
			if back, was, again := d.bringBack(ctx, p, obj); !errors.Is(again, errNotFormer) {
				made, before, err = back, was, again
			}
		}
	}
	if err != nil {
		return nil, d.takenByApp(p, err)
	}
	shown := d.presentUser(ctx, made)
	shown.before = before
	return shown, nil
}

// bringBack makes the new user of a former one, of a mirror, or of one who was deleted. It returns the user, and for the
// first two what was there before; errNotFormer if there is nobody.
func (d *Directory) bringBack(ctx context.Context, p *policy, u *v1alpha1.ScimUser) (back, before *v1alpha1.ScimUser, err error) {
	if former := d.former(p, u); former != "" {
		before, back, err = d.reinstate(ctx, p, former, u)
		if !errors.Is(err, errNotFormer) && !errors.Is(err, ErrNotFound) {
			return back, before, err
		}
	}
	if t := d.tombstoneOf(p, u); t != nil {
		back, err = d.raise(ctx, p, t, u)
		if !errors.Is(err, ErrNotFound) {
			return back, nil, err
		}
	}
	return nil, nil, errNotFormer
}

// TakeBackUser undoes what CreateUser did to return this user: who was created is deleted, who was brought back or taken
// over is as before.
func (d *Directory) TakeBackUser(ctx context.Context, u *User) error {
	if u.before == nil {
		return d.DeleteUser(ctx, u.ID, func(*User) error { return nil })
	}
	ctx, cancel := detached(ctx)
	defer cancel()
	_, err := update(ctx, d, d.store.users, &d.store.locks, u.ID, func(now *v1alpha1.ScimUser) (*v1alpha1.ScimUser, error) {
		next := now.DeepCopy()
		u.before.Spec.DeepCopyInto(&next.Spec)
		return next, nil
	})
	return err
}

// errNotFormer: who looked like the same person from the index is not, or is there already.
var errNotFormer = errors.New("not the same person")

// former returns the id of the user that the new one is, if any: one whom the identity provider has provisioned before,
// else a mirror.
func (d *Directory) former(p *policy, u *v1alpha1.ScimUser) (id string) {
	d.read(func(ix *directoryIndex) {
		candidates := ix.users.byKey[identity(p.users.Identifier, u)]
		if u.Spec.ExternalID != "" {
			candidates = append(slices.Clip(candidates), ix.users.byKey[Key{"externalId", u.Spec.ExternalID}]...)
		}
		for _, c := range candidates {
			if samePerson(p, c, u) && (id == "" || !isMirror(c)) {
				id = c.Name
			}
		}
	})
	return id
}

func samePerson(p *policy, old, u *v1alpha1.ScimUser) bool {
	switch {
	case isMirror(old) && p.users.Existing != v1alpha1.ExistingAdopt, !isMirror(old) && old.Spec.Active:
		return false
	case old.Spec.ExternalID != "" && u.Spec.ExternalID != "":
		return old.Spec.ExternalID == u.Spec.ExternalID
	default:
		return identity(p.users.Identifier, old) == identity(p.users.Identifier, u)
	}
}

// reinstate gives a former user the attributes of the new one, and returns both. The caller holds the lock of the names.
func (d *Directory) reinstate(ctx context.Context, p *policy, id string, u *v1alpha1.ScimUser) (before, back *v1alpha1.ScimUser, err error) {
	back, err = update(ctx, d, d.store.users, nil, id, func(old *v1alpha1.ScimUser) (*v1alpha1.ScimUser, error) {
		if !samePerson(p, old, u) {
			return nil, errNotFormer
		}
		before = old
		next := old.DeepCopy()
		next.Spec = u.Spec
		next.Spec.MemberRef = old.Spec.MemberRef
		return next, nil
	})
	return before, back, err
}

var (
	// errLeaves: the change deactivates the user, and deactivation deletes.
	errLeaves = errors.New("the user is to be deleted")
	// errStays: from the latest state it does not.
	errStays = errors.New("the user is not to be deleted")
)

// UpdateUser stores what change makes of the user and returns it; a mirror is taken over. change may be called several
// times, each time with a later state; it must not modify what it is given, and its error is returned as it is. A result
// that is equal to what is stored writes nothing. Where deactivation deletes, a user who becomes inactive is deleted, and
// returned as it was, inactive. It returns ErrNotFound, a *UniquenessError if another user holds the new userName or
// identifier, or a *schema.Error if the policy does not let the user in.
func (d *Directory) UpdateUser(ctx context.Context, id string, change func(*User) (*User, error)) (*User, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	p := d.policy()
	next := func(old *v1alpha1.ScimUser) (*v1alpha1.ScimUser, error) {
		if hidden(p.users.Importable, old) {
			return nil, ErrNotFound
		}
		current := userOf(old)
		u, err := change(&current)
		if err != nil {
			return nil, err
		}
		next := old.DeepCopy()
		next.Spec = d.userSpec(u)
		// The local member that a mirror stood for is the person's, whatever the identity provider calls them.
		next.Spec.MemberRef = old.Spec.MemberRef
		if leaves(p, old, next) {
			return nil, errLeaves
		}
		return next, checkChange(p, old, next)
	}
	for {
		obj, err := update(ctx, d, d.store.users, &d.store.locks, id, next)
		if errors.Is(err, errLeaves) {
			obj, err = d.deactivate(ctx, p, id, next)
		}
		if errors.Is(err, errStays) {
			continue
		}
		if err != nil {
			return nil, d.takenByApp(p, err)
		}
		return d.presentUser(ctx, obj), nil
	}
}

// deactivate deletes a user while next says that the latest state leaves, and returns it as it was, inactive.
func (d *Directory) deactivate(ctx context.Context, p *policy, id string,
	next func(*v1alpha1.ScimUser) (*v1alpha1.ScimUser, error)) (*v1alpha1.ScimUser, error) {
	obj, err := remove(ctx, d, d.store.users, id, func(obj *v1alpha1.ScimUser) error {
		switch _, err := next(obj); {
		case err == nil:
			return errStays
		case !errors.Is(err, errLeaves):
			return err
		default:
			return d.bury(ctx, p, obj)
		}
	})
	if err != nil {
		return nil, err
	}
	obj.Spec.Active = false
	return obj, nil
}

// DeleteUser removes the user after check has agreed to its latest state; check's error is returned as it is. It returns
// ErrNotProvisioned for a mirror. Groups that had the user as a member no longer show it.
func (d *Directory) DeleteUser(ctx context.Context, id string, check func(*User) error) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	p := d.policy()
	_, err := remove(ctx, d, d.store.users, id, func(obj *v1alpha1.ScimUser) error {
		current := userOf(obj)
		switch err := check(&current); {
		case hidden(p.users.Importable, obj):
			return ErrNotFound
		case err != nil:
			return err
		case isMirror(obj):
			return ErrNotProvisioned
		default:
			return d.bury(ctx, p, obj)
		}
	})
	return err
}

// presentUser is the user with its groups.
func (d *Directory) presentUser(ctx context.Context, obj *v1alpha1.ScimUser) *User {
	u, meta := &User{}, &Meta{}
	d.showUser(ctx, obj, u, meta)
	return u
}

// showUser is presentUser, into u and meta.
func (d *Directory) showUser(ctx context.Context, obj *v1alpha1.ScimUser, u *User, meta *Meta) {
	var shown *view
	d.read(func(ix *directoryIndex) { shown = ix.views[obj] })
	if shown != nil {
		*u = shown.user
	} else { // the object is not, or no longer, in the index
		*u = userOf(obj)
	}
	*meta = *u.Meta
	u.Meta = meta
	u.Groups = d.groupRefs(ctx, u.ID)
}

// maxIndirectGroups bounds the groups that a user is shown to be in through other groups, so that a few deeply nested groups
// cannot swell every user.
const maxIndirectGroups = 1000

// groupRefs are the groups that the user is in, the direct ones first (RFC 7643 §4.1.2).
func (d *Directory) groupRefs(ctx context.Context, id string) []GroupRef {
	direct, indirect := d.ancestry(ctx, id, maxIndirectGroups)
	refs := make([]GroupRef, 0, len(direct)+len(indirect))
	for _, g := range direct {
		refs = append(refs, GroupRef{Value: g.Name, Display: g.Spec.DisplayName, Type: "direct"})
	}
	for _, g := range indirect {
		refs = append(refs, GroupRef{Value: g.Name, Display: g.Spec.DisplayName, Type: "indirect"})
	}
	return refs
}

// ancestry are the groups that have the id as a direct member, and at most maxIndirect that have it through others. A group
// whose members cannot be seen in whole within a short time is left out.
func (d *Directory) ancestry(ctx context.Context, id string, maxIndirect int) (direct, indirect []*v1alpha1.ScimGroup) {
	var complete bool
	d.read(func(ix *directoryIndex) { direct, indirect, complete = ix.ancestry(id, maxIndirect) })
	if !complete {
		return d.waitForAncestry(ctx, id, maxIndirect)
	}
	return direct, indirect
}

func (d *Directory) waitForAncestry(ctx context.Context, id string, maxIndirect int) (direct, indirect []*v1alpha1.ScimGroup) {
	ctx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	_ = d.store.index.wait(ctx, func() bool {
		var complete bool
		direct, indirect, complete = d.store.index.look(d.key).ancestry(id, maxIndirect)
		return complete
	})
	return direct, indirect
}

var (
	coreUser       = []string{schema.UserURN}
	enterpriseUser = []string{schema.UserURN, schema.EnterpriseUserURN}
)

// userOf is the resource that an object holds, without its groups. It shares the object's attributes.
func userOf(obj *v1alpha1.ScimUser) User {
	u := User{
		Schemas:        coreUser,
		ID:             obj.Name,
		UserAttributes: &obj.Spec.UserAttributes,
		Enterprise:     obj.Spec.Enterprise,
		Extensions:     fromObject(obj.Spec.Extensions),
		Meta: &Meta{
			ResourceType: "User",
			Created:      obj.CreationTimestamp.UTC(),
			LastModified: lastModified(obj),
			Version:      version(obj, strconv.FormatInt(obj.Generation, 10)),
		},
	}
	if u.Enterprise != nil {
		u.Schemas = enterpriseUser
	}
	u.Schemas = withExtensions(u.Schemas, u.Extensions)
	return u
}

func (d *Directory) userSpec(u *User) v1alpha1.ScimUserSpec {
	return v1alpha1.ScimUserSpec{
		DirectoryRef:   v1alpha1.DirectoryReference{Name: d.key.name},
		UserAttributes: *u.UserAttributes,
		Enterprise:     u.Enterprise,
		Extensions:     toObject(u.Extensions),
	}
}

func equalUsers(a, b *v1alpha1.ScimUser) bool {
	return isMirror(a) == isMirror(b) && equality.Semantic.DeepEqual(a.Spec.UserAttributes, b.Spec.UserAttributes) &&
		equality.Semantic.DeepEqual(a.Spec.Enterprise, b.Spec.Enterprise) &&
		equalExtensions(a.Spec.Extensions, b.Spec.Extensions)
}

// version is a weak entity tag (RFC 7644 §3.14). Generations begin anew when an object is restored from a backup; its UID
// tells what it says then from what it said before.
func version(obj metav1.Object, v string) string {
	uid := obj.GetUID()
	return `W/"` + v + "-" + string(uid[:min(len(uid), 8)]) + `"`
}
