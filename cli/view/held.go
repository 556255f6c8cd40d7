package view

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// HeldPlan is the removals of access that a directory's safeguard holds back.
type HeldPlan struct {
	Directory string       `json:"directory"`
	Plan      string       `json:"plan"`
	Since     metav1.Time  `json:"since"`
	Count     int          `json:"count"`
	People    []HeldPerson `json:"people"`
}

// HeldPerson is who would lose what, and why.
type HeldPerson struct {
	UserName    string   `json:"userName"`
	DisplayName string   `json:"displayName,omitempty"`
	Loses       []string `json:"loses"`
	Because     string   `json:"because"`
}

// Held says what the safeguards of these directories hold back, and names at most so many of the people of each.
func (r *Reader) Held(ctx context.Context, most int, directories ...v1alpha1.ScimDirectory) ([]HeldPlan, error) {
	all := []HeldPlan{}
	place := map[string]int{}
	for i := range directories {
		if h := directories[i].Status.Held; h != nil {
			place[directories[i].Name] = len(all)
			all = append(all, HeldPlan{Directory: directories[i].Name, Plan: h.Plan, Since: h.Since, Count: int(h.People), People: []HeldPerson{}})
		}
	}
	if len(all) == 0 {
		return all, nil
	}
	a := r.Access()
	primary, err := a.Primary(ctx)
	if err != nil {
		return nil, err
	}
	return all, Pages(ctx, r, func(page *v1alpha1.AppMembershipList) error {
		for i := range page.Items {
			m := &page.Items[i]
			at, waits := place[m.Status.ManagedBy]
			if !waits || len(all[at].People) >= most || Reason(m.Status.Conditions) != v1alpha1.ReasonChangesHeld {
				continue
			}
			p, err := a.loss(ctx, m, primary)
			if err != nil {
				return err
			}
			all[at].People = append(all[at].People, p)
		}
		return nil
	})
}

// loss says what a person would lose whose removal is held.
func (a *Access) loss(ctx context.Context, m *v1alpha1.AppMembership, primary string) (HeldPerson, error) {
	p := HeldPerson{UserName: m.Spec.User.UserName, DisplayName: m.Spec.User.DisplayName, Loses: []string{"access"}}
	var u *v1alpha1.ScimUser
	if m.Spec.UserRef != nil {
		var err error
		if u, err = Find[v1alpha1.ScimUser](ctx, a.Reader, m.Spec.UserRef.Name); err != nil {
			return p, err
		}
	}
	switch {
	case u == nil:
		p.Because = "removed by the identity provider"
	case !u.Spec.Active:
		p.Because = "deactivated by the identity provider"
	case u.Spec.DirectoryRef.Name != primary:
		p.Because = "directory " + u.Spec.DirectoryRef.Name + " is no longer the primary one"
	default:
		p.Loses, p.Because = nil, "nothing grants it any more"
		for _, grant := range m.Status.Grants {
			r, err := Find[v1alpha1.AppRole](ctx, a.Reader, grant.Role)
			if err != nil {
				return p, err
			}
			var because []string
			if r != nil {
				if because, err = a.grounds(ctx, u, grant, r, primary); err != nil {
					return p, err
				}
			}
			if len(because) == 0 {
				p.Loses = append(p.Loses, grant.Role)
			}
		}
		slices.Sort(p.Loses)
	}
	return p, nil
}

// HeldRemark says that a person may have a role only because its removal waits.
func HeldRemark(m *v1alpha1.AppMembership) string {
	switch Reason(m.Status.Conditions) {
	case v1alpha1.ReasonChangesHeld:
		return "removal held by the safeguard"
	case v1alpha1.ReasonLastHolder:
		return "last holder of a protected role"
	default:
		return ""
	}
}
