package console

import (
	"context"
	"net/url"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

// roles lists the roles of a namespace.
func (c *console) roles(ctx context.Context, v *visit) error {
	v.inNamespace("roles")
	all, err := v.Roles(ctx)
	if apierrors.IsForbidden(err) {
		return &forbidden{"roles", "approles"}
	}
	if err != nil {
		return err
	}
	return v.show("roles", "Roles of "+v.Namespace, all)
}

// membersRead bounds how many members of the app are looked through for one page of those who have a role.
const membersRead = 10 * view.PageSize

type roleBody struct {
	*v1alpha1.AppRole
	Holders []holder
	// Inactive is how many of those who were looked at have the role without effect.
	Inactive int
	// Next is the path of the rest; empty if this is all.
	Next string
	// Begun says that this is not the first page.
	Begun bool
	// Hidden says why no people are shown.
	Hidden string
}

// holder is somebody who has the role.
type holder struct {
	*v1alpha1.AppMembership
	// Path is that of the person; empty for a local member.
	Path    string
	Through []string
	Remark  string
}

// role shows one, and who has it.
func (c *console) role(ctx context.Context, v *visit) error {
	r, err := view.Find[v1alpha1.AppRole](ctx, v.Reader, v.path("role"))
	if err != nil {
		return err
	}
	if r == nil {
		return errNotFound
	}
	body := roleBody{AppRole: r, Begun: v.request.FormValue("continue") != ""}
	err = v.holders(ctx, &body)
	if apierrors.IsForbidden(err) {
		body.Holders, body.Hidden, err = nil, sentence(&forbidden{"who has the role", "appmemberships and scimgroups"}), nil
	}
	if err != nil {
		return err
	}
	v.inNamespace("roles")
	v.frame.Crumbs = append(v.frame.Crumbs, link{Text: "Roles", Path: namespacePath(v.Namespace, "roles")})
	return v.show("role", "Role "+r.Name, body)
}

// holders reads members of the app until a page is full.
func (v *visit) holders(ctx context.Context, body *roleBody) error {
	next, access := v.request.FormValue("continue"), v.Access()
	for range membersRead / view.PageSize {
		var some v1alpha1.AppMembershipList
		if err := v.List(ctx, &some, client.InNamespace(v.Namespace), client.Limit(view.PageSize), client.Continue(next)); err != nil {
			return err
		}
		for i := range some.Items {
			m := &some.Items[i]
			switch {
			case !slices.Contains(m.Spec.Roles, body.AppRole.Name):
			case !m.Spec.Active:
				body.Inactive++
			default:
				h := holder{AppMembership: m, Remark: view.HeldRemark(m)}
				if m.Spec.UserRef != nil && m.Status.ManagedBy != "" {
					h.Path = directoryPath(v.Namespace, m.Status.ManagedBy, "people", m.Spec.UserRef.Name)
				}
				var err error
				if h.Through, err = access.Through(ctx, m, body.AppRole.Name); err != nil {
					return err
				}
				body.Holders = append(body.Holders, h)
			}
		}
		if next = some.Continue; next == "" || len(body.Holders) >= pageLength {
			break
		}
	}
	if next != "" {
		body.Next = v.request.URL.Path + "?" + url.Values{"continue": {next}}.Encode()
	}
	return nil
}
