package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

func (s *session) directoryListCommand() *cobra.Command {
	var everywhere bool
	command := &cobra.Command{
		Use:   "list",
		Short: "List directories",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			empty := fmt.Sprintf("There is no ScimDirectory in namespace %q.", c.Namespace)
			if everywhere {
				c.Namespace, empty = "", "There is no ScimDirectory in this cluster."
			}
			list := &rows[*v1alpha1.ScimDirectory]{
				session: s,
				name:    func(d *v1alpha1.ScimDirectory) string { return nameOf(kindDirectory, d.Name) },
				object:  func(d *v1alpha1.ScimDirectory) any { return whole(kindDirectory, d) },
				columns: []column[*v1alpha1.ScimDirectory]{
					{"NAME", false, func(d *v1alpha1.ScimDirectory) text { return plain(d.Name) }},
					{"PRIMARY", false, func(d *v1alpha1.ScimDirectory) text { return yesNo(d.Status.Primary) }},
					{"USERS", false, func(d *v1alpha1.ScimDirectory) text { return number(d.Status.Users) }},
					{"ACTIVE", false, func(d *v1alpha1.ScimDirectory) text { return number(d.Status.ActiveUsers) }},
					{"GROUPS", false, func(d *v1alpha1.ScimDirectory) text { return number(d.Status.Groups) }},
					{"HELD", false, heldCell},
					{"LAST CALL", false, func(d *v1alpha1.ScimDirectory) text { return plain(ago(d.Status.LastRequestTime)) }},
					{"STATE", false, func(d *v1alpha1.ScimDirectory) text { return verdict(d.Status.Conditions) }},
					{"AGE", false, func(d *v1alpha1.ScimDirectory) text { return age(d.CreationTimestamp) }},
					{"BASE URL", true, func(d *v1alpha1.ScimDirectory) text { return plain(d.Status.BaseURL) }},
				},
			}
			if everywhere {
				list.columns = append([]column[*v1alpha1.ScimDirectory]{
					{"NAMESPACE", false, func(d *v1alpha1.ScimDirectory) text { return plain(d.Namespace) }},
				}, list.columns...)
			}
			if err := view.Pages(command.Context(), c.Reader, func(page *v1alpha1.ScimDirectoryList) error {
				return addAll(list, page.Items)
			}); err != nil {
				return err
			}
			list.end(empty)
			return nil
		},
	}
	command.Flags().BoolVarP(&everywhere, "all-namespaces", "A", false, "of all namespaces")
	return command
}

// addAll adds a page of things and shows them.
func addAll[T any](list *rows[*T], page []T) error {
	for i := range page {
		if err := list.add(&page[i]); err != nil {
			return err
		}
	}
	list.flush()
	return nil
}

func number(n int32) text { return plain(fmt.Sprint(n)) }

func heldCell(d *v1alpha1.ScimDirectory) text {
	if d.Status.Held == nil {
		return plain("0")
	}
	return warn(fmt.Sprint(d.Status.Held.People))
}
