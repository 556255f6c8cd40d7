package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// user finds a user by id, or by userName, e-mail address or displayName; directory may be empty. Where several directories
// have the person, the primary one's is meant. An error says which there are, or that there is none.
//
// It reads all users. The API server selects by a field only what is equal to the letter, so that a directory which has the same
// person in another case would be missed, and with it perhaps the primary one; a label would have to hold the name, or a hash that
// can be guessed, in metadata, where no name is otherwise.
func (c *cluster) user(ctx context.Context, word, directory string) (*v1alpha1.ScimUser, error) {
	if uuid.Validate(word) == nil {
		if u, err := view.Find[v1alpha1.ScimUser](ctx, c.Reader, word); err != nil || u != nil {
			return u, err
		}
	}
	var best matches[v1alpha1.ScimUser]
	err := view.Pages(ctx, c.Reader, func(page *v1alpha1.ScimUserList) error {
		for i := range page.Items {
			u := &page.Items[i]
			if directory == "" || u.Spec.DirectoryRef.Name == directory {
				best.consider(u, userRank(u, word))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return choose(ctx, c, best.found, choice[v1alpha1.ScimUser]{
		"user", word, "kubectl scim users list",
		func(u *v1alpha1.ScimUser) string { return u.Spec.DirectoryRef.Name },
		func(u *v1alpha1.ScimUser) string { return u.Name },
	})
}

func userRank(u *v1alpha1.ScimUser, word string) int {
	same := func(value string) bool { return value != "" && schema.Fold(value) == schema.Fold(word) }
	switch {
	case same(u.Spec.UserName):
		return 3
	case same(u.Spec.PrimaryEmail()):
		return 2
	case same(u.Spec.DisplayName):
		return 1
	default:
		for _, e := range u.Spec.Emails {
			if same(e.Value) {
				return 2
			}
		}
		return 0
	}
}

// group finds a group by id or displayName, as user does.
func (c *cluster) group(ctx context.Context, word, directory string) (*v1alpha1.ScimGroup, error) {
	if uuid.Validate(word) == nil {
		if g, err := view.Find[v1alpha1.ScimGroup](ctx, c.Reader, word); err != nil || g != nil {
			return g, err
		}
	}
	var best matches[v1alpha1.ScimGroup]
	err := view.Pages(ctx, c.Reader, func(page *v1alpha1.ScimGroupList) error {
		for i := range page.Items {
			g := &page.Items[i]
			if (directory == "" || g.Spec.DirectoryRef.Name == directory) && schema.Fold(g.Spec.DisplayName) == schema.Fold(word) {
				best.consider(g, 1)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return choose(ctx, c, best.found, choice[v1alpha1.ScimGroup]{
		"group", word, "kubectl scim groups list",
		func(g *v1alpha1.ScimGroup) string { return g.Spec.DirectoryRef.Name },
		func(g *v1alpha1.ScimGroup) string { return g.Name },
	})
}

// matches are those that fit a word best.
type matches[T any] struct {
	rank  int
	found []*T
}

func (m *matches[T]) consider(thing *T, rank int) {
	if rank == 0 || rank < m.rank {
		return
	}
	if rank > m.rank {
		m.rank, m.found = rank, nil
	}
	m.found = append(m.found, thing)
}

// choice says how to tell things of one kind apart.
type choice[T any] struct {
	what, word, list string
	directory, id    func(*T) string
}

// unknown is the error of a word that fits nothing.
type unknown struct{ message string }

func (e *unknown) Error() string { return e.message }

func choose[T any](ctx context.Context, c *cluster, found []*T, by choice[T]) (*T, error) {
	switch len(found) {
	case 0:
		return nil, &unknown{fmt.Sprintf("there is no %s %q in namespace %q; `%s -n %s` shows all",
			by.what, by.word, c.Namespace, by.list, c.Namespace)}
	case 1:
		return found[0], nil
	}
	directories, err := c.Directories(ctx)
	if err != nil {
		return nil, err
	}
	var primary []*T
	var all []string
	for _, thing := range found {
		all = append(all, by.id(thing)+" of directory "+by.directory(thing))
		for i := range directories {
			if directories[i].Status.Primary && directories[i].Name == by.directory(thing) {
				primary = append(primary, thing)
			}
		}
	}
	if len(primary) == 1 {
		return primary[0], nil
	}
	return nil, errors.New(fmt.Sprintf("%q is more than one %s; give the id, or --directory: ", by.word, by.what) + strings.Join(all, ", "))
}

// counted is a number with the word for one or for many.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// localMember finds a person by userName, e-mail address or object name who has no user in a directory.
func (c *cluster) localMember(ctx context.Context, word string) (*v1alpha1.AppMembership, error) {
	var found *v1alpha1.AppMembership
	err := view.Pages(ctx, c.Reader, func(page *v1alpha1.AppMembershipList) error {
		for i := range page.Items {
			m := &page.Items[i]
			if schema.Fold(m.Spec.User.UserName) == schema.Fold(word) || schema.Fold(m.Spec.User.Email) == schema.Fold(word) || m.Name == word {
				found = m
			}
		}
		return nil
	})
	return found, err
}
