package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// holder is a person with a role.
type holder struct {
	Name        string   `json:"name"`
	UserName    string   `json:"userName"`
	DisplayName string   `json:"displayName,omitempty"`
	Directory   string   `json:"directory,omitempty"`
	Through     []string `json:"through"`
	Remark      string   `json:"remark,omitempty"`
}

func (s *session) whoCanCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "who-can ROLE",
		Short: "List the people who have a role, and through which group",
		Args:  cobra.ExactArgs(1),
		ValidArgsFunction: s.completing(func(ctx context.Context, c *cluster) (names []string, err error) {
			roles, err := c.Roles(ctx)
			for i := range roles {
				names = append(names, roles[i].Name)
			}
			return names, err
		}),
		RunE: func(command *cobra.Command, args []string) error {
			ctx := command.Context()
			c, err := s.connect()
			if err != nil {
				return err
			}
			role, err := c.oneRole(ctx, args[0])
			if err != nil {
				return err
			}
			list := &rows[holder]{
				session: s,
				name:    func(h holder) string { return nameOf(view.KindMembership, h.Name) },
				object:  func(h holder) any { return h },
				columns: []column[holder]{
					{"USERNAME", false, func(h holder) text { return plain(h.UserName) }},
					{"NAME", false, func(h holder) text { return orDash(h.DisplayName) }},
					{"THROUGH", false, func(h holder) text { return plain(strings.Join(h.Through, ", ")) }},
					{"DIRECTORY", false, func(h holder) text { return orDash(h.Directory) }},
					{"REMARK", false, func(h holder) text { return warn(h.Remark) }},
					{"ID", true, func(h holder) text { return plain(h.Name) }},
				},
			}
			inactive, a := 0, c.Access()
			if err := view.Pages(ctx, c.Reader, func(page *v1alpha1.AppMembershipList) error {
				for i := range page.Items {
					m := &page.Items[i]
					switch {
					case !slices.Contains(m.Spec.Roles, role.Name):
					case !m.Spec.Active:
						inactive++
					default:
						ways, err := a.Through(ctx, m, role.Name)
						if err != nil {
							return err
						}
						if err := list.add(holder{
							m.Name, m.Spec.User.UserName, m.Spec.User.DisplayName, m.Status.ManagedBy, ways, view.HeldRemark(m),
						}); err != nil {
							return err
						}
					}
				}
				list.flush()
				return nil
			}); err != nil {
				return err
			}
			list.end(fmt.Sprintf("Nobody has the role %s.", role.Name))
			if inactive > 0 && s.format.readable() {
				remark("%s with the role, for whom it counts for nothing.", counted(inactive, "deactivated person is on record", "deactivated people are on record"))
			}
			return nil
		},
	}
}

// oneRole finds a role by its name or displayName. An error says which there are.
func (c *cluster) oneRole(ctx context.Context, word string) (*v1alpha1.AppRole, error) {
	if r, err := view.Find[v1alpha1.AppRole](ctx, c.Reader, word); err != nil || r != nil {
		return r, err
	}
	roles, err := c.Roles(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	for i := range roles {
		if schema.Fold(roles[i].Status.DisplayName) == schema.Fold(word) {
			return &roles[i], nil
		}
		all = append(all, roles[i].Name)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there is no AppRole in namespace %q: create one, or give another namespace with -n", c.Namespace)
	}
	return nil, fmt.Errorf("there is no AppRole %q in namespace %q; there is: %s", word, c.Namespace, strings.Join(all, ", "))
}
