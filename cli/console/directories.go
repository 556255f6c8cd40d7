package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

const (
	// namespacesAsked is in how many namespaces at most a person is looked for, who may not list all.
	namespacesAsked = 500
	// askedAtOnce is how many questions Kubernetes gets at a time.
	askedAtOnce = 16
)

type homeBody struct {
	Directories []v1alpha1.ScimDirectory
	// Partial says that the person may not list the directories of all namespaces.
	Partial bool
	// Unasked says that there are more namespaces than were looked at.
	Unasked bool
}

// home lists the directories that the person may list.
func (c *console) home(ctx context.Context, v *visit) error {
	var body homeBody
	everywhere := &view.Reader{Client: v.person}
	all, err := everywhere.Directories(ctx)
	if apierrors.IsForbidden(err) {
		body.Partial = true
		all, body.Unasked, err = c.directoriesOf(ctx, v.person)
	}
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b v1alpha1.ScimDirectory) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	body.Directories = all
	return v.show("home", "Directories", body)
}

// directoriesOf reads the directories of the namespaces in which a person may list them.
func (c *console) directoriesOf(ctx context.Context, p *person) (all []v1alpha1.ScimDirectory, unasked bool, err error) {
	var known v1alpha1.ScimDirectoryList
	if err := c.Directories.List(ctx, &known); err != nil {
		return nil, false, err
	}
	var namespaces []string
	for i := range known.Items {
		namespaces = append(namespaces, known.Items[i].Namespace)
	}
	slices.Sort(namespaces)
	namespaces = slices.Compact(namespaces)
	if len(namespaces) > namespacesAsked {
		namespaces, unasked = namespaces[:namespacesAsked], true
	}
	found := make([][]v1alpha1.ScimDirectory, len(namespaces))
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(askedAtOnce)
	for i, namespace := range namespaces {
		asking.Go(func() error {
			some, err := (&view.Reader{Client: p, Namespace: namespace}).Directories(ctx)
			if apierrors.IsForbidden(err) {
				return nil
			}
			found[i] = some
			return err
		})
	}
	err = asking.Wait()
	return slices.Concat(found...), unasked, err
}

// goToNamespace is where the form for a namespace leads.
func (c *console) goToNamespace(_ context.Context, v *visit) error {
	name := v.request.FormValue("name")
	if name == "" {
		http.Redirect(v.answer, v.request, "/", http.StatusSeeOther)
		return nil
	}
	http.Redirect(v.answer, v.request, namespacePath(name), http.StatusSeeOther)
	return nil
}

// namespace lists the directories of one.
func (c *console) namespace(ctx context.Context, v *visit) error {
	all, err := v.Directories(ctx)
	if err != nil {
		return err
	}
	v.inNamespace("")
	v.frame.Crumbs = v.frame.Crumbs[:1]
	return v.show("namespace", v.Namespace, all)
}

// open reads the directory that the path names, and puts its frame around the page; here is the tab. Who may not see the
// directory is told that there is none.
func (v *visit) open(ctx context.Context, here string) (*v1alpha1.ScimDirectory, error) {
	d, err := view.Find[v1alpha1.ScimDirectory](ctx, v.Reader, v.path("directory"))
	if err == nil && d == nil {
		err = errNotFound
	}
	if err == nil {
		v.inDirectory(d, here)
	}
	return d, err
}

// directory shows one.
func (c *console) directory(ctx context.Context, v *visit) error {
	d, err := v.open(ctx, "")
	if err != nil {
		return err
	}
	v.frame.Crumbs = namespaceCrumbs(v.Namespace)
	return v.show("directory", d.Name, d)
}

type setupBody struct {
	*v1alpha1.ScimDirectory
	// Identifier is the attribute that Okta asks for.
	Identifier string
	// Imports and ImportsGroups say whether Okta can import anything.
	Imports, ImportsGroups bool
}

// setup says what to enter in Okta and Entra ID.
func (c *console) setup(ctx context.Context, v *visit) error {
	d, err := v.open(ctx, "setup")
	if err != nil {
		return err
	}
	body := setupBody{
		ScimDirectory: d,
		Identifier:    string(cmp.Or(d.Spec.Users.Identifier, v1alpha1.IdentifierUserName)),
		Imports:       d.Spec.Users.Importable != v1alpha1.ImportableNone,
		ImportsGroups: d.Spec.Groups.Meaning == v1alpha1.GroupsAreRoles && d.Spec.Groups.Importable != v1alpha1.ImportableNone,
	}
	return v.show("setup", "Set up "+d.Name, body)
}

// namedPeople is how many people of a held plan the page names.
const namedPeople = 200

type heldBody struct {
	*v1alpha1.ScimDirectory
	Plan *view.HeldPlan
	More int
	// Hidden says why nobody is named.
	Hidden string
}

// held shows what the safeguard of a directory holds back.
func (c *console) held(ctx context.Context, v *visit) error {
	d, err := v.open(ctx, "held")
	if err != nil {
		return err
	}
	body := heldBody{ScimDirectory: d}
	plans, err := v.Held(ctx, namedPeople, *d)
	switch {
	case apierrors.IsForbidden(err):
		body.Hidden = sentence(&forbidden{"the people concerned", "scimusers, scimgroups, scimmemberslices, approles and appmemberships"})
	case err != nil:
		return err
	case len(plans) > 0:
		body.Plan, body.More = &plans[0], plans[0].Count-len(plans[0].People)
	}
	return v.show("held", "Held changes of "+d.Name, body)
}
