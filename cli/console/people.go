package console

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
	"github.com/scim-operator/scim-operator/scimserver/schema"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// pageLength is how many people or groups a page has.
const pageLength = 50

// search is what is looked for, and which page of it.
type search struct {
	Word string
	// Active is yes, no, or empty for both.
	Active string
	Page   int
	Total  int
	path   string
}

func searchOf(v *visit) search {
	page, err := strconv.Atoi(v.request.FormValue("page"))
	if err != nil || page < 1 {
		page = 1
	}
	s := search{Word: strings.TrimSpace(v.request.FormValue("q")), Page: page, path: v.request.URL.Path}
	if active := v.request.FormValue("active"); active == "yes" || active == "no" {
		s.Active = active
	}
	return s
}

// First and Last are the places of the first and the last of the page.
func (s search) First() int { return min((s.Page-1)*pageLength+1, s.Total) }

// Last is that of the last.
func (s search) Last() int { return min(s.Page*pageLength, s.Total) }

// Previous is the path of the page before; empty on the first.
func (s search) Previous() string {
	if s.Page == 1 {
		return ""
	}
	return s.to(s.Page - 1)
}

// Next is the path of the page behind; empty on the last.
func (s search) Next() string {
	if s.Page*pageLength >= s.Total {
		return ""
	}
	return s.to(s.Page + 1)
}

func (s search) to(page int) string {
	query := url.Values{}
	for key, value := range map[string]string{"q": s.Word, "active": s.Active} {
		if value != "" {
			query.Set(key, value)
		}
	}
	if page > 1 {
		query.Set("page", strconv.Itoa(page))
	}
	if len(query) == 0 {
		return s.path
	}
	return s.path + "?" + query.Encode()
}

// selects says whether a user is looked for: by the beginning of the userName, in any case.
func (s search) selects() func(*store.User) bool {
	if s.Word == "" && s.Active == "" {
		return nil
	}
	word := schema.Fold(s.Word)
	return func(u *store.User) bool {
		return strings.HasPrefix(schema.Fold(u.UserName), word) && (s.Active == "" || u.Active == (s.Active == "yes"))
	}
}

// allowed returns a *forbidden unless the person may list the resource in the namespace of the visit.
func (v *visit) allowed(ctx context.Context, resource, what string) error {
	may, err := v.person.may(ctx, v.Namespace, resource)
	if err == nil && !may {
		err = &forbidden{what, resource}
	}
	return err
}

// found asks the index for the ids of a page, of whom the person may list all.
func (v *visit) found(ctx context.Context, directory string, q store.Query) (ids []string, total int, err error) {
	if err := v.console.Store.Fresh(); err != nil {
		return nil, 0, err
	}
	page, err := v.console.Store.Directory(v.Namespace, directory).List(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	for place := range page.Len() {
		ids = append(ids, page.ID(place))
	}
	return ids, page.Total, nil
}

// read reads objects by their names, with the person's token, and leaves out what is gone.
func read[T any, P interface {
	*T
	client.Object
}](ctx context.Context, v *visit, names []string) ([]P, error) {
	all := make([]P, len(names))
	reading, ctx := errgroup.WithContext(ctx)
	reading.SetLimit(askedAtOnce)
	for i, name := range names {
		reading.Go(func() (err error) {
			all[i], err = view.Find[T, P](ctx, v.Reader, name)
			return err
		})
	}
	err := reading.Wait()
	return slices.DeleteFunc(all, func(object P) bool { return object == nil }), err
}

type peopleBody struct {
	*v1alpha1.ScimDirectory
	search
	People []*v1alpha1.ScimUser
}

// people lists a directory's people, or some of them.
func (c *console) people(ctx context.Context, v *visit) error {
	d, err := v.open(ctx, "people")
	if err != nil {
		return err
	}
	if err := v.allowed(ctx, "scimusers", "people"); err != nil {
		return err
	}
	s := searchOf(v)
	ids, total, err := v.found(ctx, d.Name, store.Query{
		Users: &store.UserQuery{Match: s.selects()}, Start: (s.Page - 1) * pageLength, Count: pageLength,
	})
	if err != nil {
		return err
	}
	s.Total = total
	body := peopleBody{ScimDirectory: d, search: s}
	if body.People, err = read[v1alpha1.ScimUser](ctx, v, ids); err != nil {
		return err
	}
	return v.show("people", "People of "+d.Name, body)
}

type personBody struct {
	*v1alpha1.ScimUser
	Name        string
	Groups      []*v1alpha1.ScimGroup
	Explanation *view.Explanation
	// NoGroups and NoRoles say why these are not shown.
	NoGroups, NoRoles string
}

// showPerson shows somebody: who they are, in which groups, with which roles and why.
func (c *console) showPerson(ctx context.Context, v *visit) error {
	d, err := v.open(ctx, "people")
	if err != nil {
		return err
	}
	u, err := view.Find[v1alpha1.ScimUser](ctx, v.Reader, v.path("id"))
	if err != nil {
		return err
	}
	if u == nil || u.Spec.DirectoryRef.Name != d.Name {
		return errNotFound
	}
	body := personBody{ScimUser: u, Name: view.FullName(u)}
	if body.Groups, body.NoGroups, err = v.groupsWith(ctx, d.Name, u.Name); err != nil {
		return err
	}
	m, err := v.Membership(ctx, u)
	if err == nil {
		body.Explanation, err = v.Access().Explain(ctx, u, m)
	}
	if apierrors.IsForbidden(err) {
		body.NoRoles, err = sentence(&forbidden{"roles", "appmemberships, approles, scimgroups, scimmemberslices and scimdirectories"}), nil
	}
	if err != nil {
		return err
	}
	v.frame.Crumbs = append(v.frame.Crumbs, link{Text: "People", Path: directoryPath(d.Namespace, d.Name, "people")})
	return v.show("person", view.Printable(u.Spec.UserName), body)
}

// groupsWith are the groups that have somebody as a member, or why they are not shown.
func (v *visit) groupsWith(ctx context.Context, directory, id string) ([]*v1alpha1.ScimGroup, string, error) {
	for _, resource := range []string{"scimgroups", "scimmemberslices"} {
		var hidden *forbidden
		if err := v.allowed(ctx, resource, "groups and their members"); errors.As(err, &hidden) {
			return nil, sentence(hidden), nil
		} else if err != nil {
			return nil, "", err
		}
	}
	ids, _, err := v.found(ctx, directory, store.Query{
		Groups: &store.GroupQuery{Key: &store.Key{Attribute: "members.value", Value: id}}, Count: 200,
	})
	if err != nil {
		return nil, "", err
	}
	groups, err := read[v1alpha1.ScimGroup](ctx, v, ids)
	return groups, "", err
}
