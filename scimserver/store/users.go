package store

import (
	"context"
	"errors"
	"fmt"
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
// its old id. It returns a *UniquenessError if another user holds the userName or the identifier.
func (d *Directory) CreateUser(ctx context.Context, u *User) (*User, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	s := d.store
	obj := &v1alpha1.ScimUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.key.namespace, Name: newID()},
		Spec:       d.userSpec(u),
	}
	p := d.policy()
	keys := s.users.unique(p, obj)
	if u.ExternalID != "" {
		keys = append(keys, Key{"externalId", u.ExternalID})
	}
	defer s.locks.lock(d.key, keys...)()
	if former := d.former(p, obj); former != "" {
		back, err := d.reinstate(ctx, p, former, obj)
		if err == nil {
			return d.presentUser(ctx, back), nil
		}
		if !errors.Is(err, errNotFormer) && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	stamp(obj, s.now())
	if err := create(ctx, d, s.users, p, obj); err != nil {
		return nil, err
	}
	return d.presentUser(ctx, obj), nil
}

// errNotFormer: the user that looked like the same person from the index is not, or is active.
var errNotFormer = errors.New("not the same person")

// former returns the id of the inactive user that the new one is, if any.
func (d *Directory) former(p *policy, u *v1alpha1.ScimUser) (id string) {
	d.read(func(ix *directoryIndex) {
		candidates := ix.users.byKey[identity(p.users.Identifier, u)]
		if u.Spec.ExternalID != "" {
			candidates = append(slices.Clip(candidates), ix.users.byKey[Key{"externalId", u.Spec.ExternalID}]...)
		}
		for _, c := range candidates {
			if samePerson(p, c, u) {
				id = c.Name
			}
		}
	})
	return id
}

func samePerson(p *policy, old, u *v1alpha1.ScimUser) bool {
	switch {
	case old.Spec.Active:
		return false
	case old.Spec.ExternalID != "" && u.Spec.ExternalID != "":
		return old.Spec.ExternalID == u.Spec.ExternalID
	default:
		return identity(p.users.Identifier, old) == identity(p.users.Identifier, u)
	}
}

// reinstate gives an inactive user the attributes of the new one. The caller holds the lock of the names.
func (d *Directory) reinstate(ctx context.Context, p *policy, id string, u *v1alpha1.ScimUser) (*v1alpha1.ScimUser, error) {
	return update(ctx, d, d.store.users, nil, id, func(old *v1alpha1.ScimUser) (*v1alpha1.ScimUser, error) {
		if !samePerson(p, old, u) {
			return nil, errNotFormer
		}
		next := old.DeepCopy()
		next.Spec = u.Spec
		return next, nil
	})
}

// UpdateUser stores what change makes of the user and returns it. change may be called several times, each time with a
// later state; it must not modify what it is given, and its error is returned as it is. A result that is equal to what is
// stored writes nothing. It returns ErrNotFound, or a *UniquenessError if another user holds the new userName or
// identifier.
func (d *Directory) UpdateUser(ctx context.Context, id string, change func(*User) (*User, error)) (*User, error) {
	ctx, cancel := detached(ctx)
	defer cancel()
	obj, err := update(ctx, d, d.store.users, &d.store.locks, id, func(old *v1alpha1.ScimUser) (*v1alpha1.ScimUser, error) {
		current := userOf(old)
		u, err := change(&current)
		if err != nil {
			return nil, err
		}
		next := old.DeepCopy()
		next.Spec = d.userSpec(u)
		return next, nil
	})
	if err != nil {
		return nil, err
	}
	return d.presentUser(ctx, obj), nil
}

// DeleteUser removes the user for good after check has agreed to its latest state; check's error is returned as it is.
// Groups that had the user as a member no longer show it.
func (d *Directory) DeleteUser(ctx context.Context, id string, check func(*User) error) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	_, err := remove(ctx, d, d.store.users, id, func(obj *v1alpha1.ScimUser) error {
		current := userOf(obj)
		return check(&current)
	})
	return err
}

// presentUser is the user with its groups.
func (d *Directory) presentUser(ctx context.Context, obj *v1alpha1.ScimUser) *User {
	u := userOf(obj)
	u.Groups = d.groupRefs(ctx, obj.Name)
	return &u
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
	look := func() bool {
		direct, indirect, complete = d.store.index.look(d.key).ancestry(id, maxIndirect)
		return complete
	}
	d.read(func(*directoryIndex) { look() })
	if !complete {
		ctx, cancel := context.WithTimeout(ctx, completeTimeout)
		defer cancel()
		_ = d.store.index.wait(ctx, look)
	}
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
			Version:      version(strconv.FormatInt(obj.Generation, 10)),
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
	return equality.Semantic.DeepEqual(a.Spec.UserAttributes, b.Spec.UserAttributes) &&
		equality.Semantic.DeepEqual(a.Spec.Enterprise, b.Spec.Enterprise) &&
		equalExtensions(a.Spec.Extensions, b.Spec.Extensions)
}

// version is a weak entity tag (RFC 7644 §3.14).
func version(v string) string { return fmt.Sprintf("W/%q", v) }
