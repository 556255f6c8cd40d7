package cli

import (
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func (s *session) directoryDescribeCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "describe NAME",
		Short:             "Show a directory's base URL, tokens, counts, held changes and conditions",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.completingDirectories(),
		RunE: func(command *cobra.Command, args []string) error {
			c, err := s.connect()
			if err != nil {
				return err
			}
			d, err := c.directory(command.Context(), args[0])
			if err != nil {
				return err
			}
			return s.show(whole(kindDirectory, d), nameOf(kindDirectory, d.Name), func() error { return s.describe(d) })
		},
	}
}

func (s *session) describe(d *v1alpha1.ScimDirectory) error {
	s.line("%s", bold(d.Namespace+"/"+d.Name))
	s.line("Base URL   %s", d.Status.BaseURL)
	s.line("Primary    %s", yesNo(d.Status.Primary))
	s.line("Suspended  %s", yesNo(d.Spec.Suspended))
	s.line("Users      %d, of whom %d active", d.Status.Users, d.Status.ActiveUsers)
	s.line("Groups     %d, with %d members in all", d.Status.Groups, d.Status.Members)
	s.line("Last call  %s", ago(d.Status.LastRequestTime))
	if h := d.Status.Held; h != nil {
		s.line("Held       %s: %s; see `kubectl scim plan %s -n %s`",
			warn("plan "+h.Plan), counted(int(h.People), "person loses", "people lose")+" something", d.Name, d.Namespace)
	} else {
		s.line("Held       nothing")
	}

	s.line("\n%s", bold("Tokens"))
	tokens := &rows[v1alpha1.DirectoryTokenStatus]{session: s, columns: []column[v1alpha1.DirectoryTokenStatus]{
		{"NAME", false, func(t v1alpha1.DirectoryTokenStatus) text { return plain(t.Name) }},
		{"STATE", false, func(t v1alpha1.DirectoryTokenStatus) text { return tokenState(t.State) }},
		{"ENDS IN", false, func(t v1alpha1.DirectoryTokenStatus) text { return orDash(t.LastFour) }},
		{"EXPIRES", false, func(t v1alpha1.DirectoryTokenStatus) text { return expiry(t.ExpirationTime) }},
		{"LAST USED", false, func(t v1alpha1.DirectoryTokenStatus) text { return plain(ago(t.LastUsedTime)) }},
		{"LAST REFUSED", false, refused},
	}}
	for _, t := range d.Status.Tokens {
		if err := tokens.add(t); err != nil {
			return err
		}
	}
	tokens.flush()
	if tokens.printed == 0 {
		s.line("none; make one with `kubectl scim token create %s -n %s`", d.Name, d.Namespace)
	}

	s.line("\n%s", bold("Conditions"))
	conditions := &rows[metav1.Condition]{session: s, columns: []column[metav1.Condition]{
		{"TYPE", false, func(c metav1.Condition) text { return plain(c.Type) }},
		{"STATUS", false, func(c metav1.Condition) text { return plain(string(c.Status)) }},
		{"REASON", false, func(c metav1.Condition) text { return plain(c.Reason) }},
		{"MESSAGE", false, func(c metav1.Condition) text { return plain(c.Message) }},
	}}
	for _, condition := range d.Status.Conditions {
		if err := conditions.add(condition); err != nil {
			return err
		}
	}
	conditions.flush()
	if conditions.printed == 0 {
		s.line("none yet: is the operator running?")
	}
	return nil
}

func tokenState(state v1alpha1.TokenState) text {
	if state == v1alpha1.TokenValid {
		return good(string(state))
	}
	return bad(string(state))
}

func expiry(t *metav1.Time) text {
	switch {
	case t == nil:
		return plain("never")
	case time.Until(t.Time) < 30*24*time.Hour:
		return warn(t.UTC().Format(time.RFC3339))
	default:
		return plain(t.UTC().Format(time.RFC3339))
	}
}

func refused(t v1alpha1.DirectoryTokenStatus) text {
	if t.LastFailureTime.IsZero() {
		return plain("never")
	}
	return warn(ago(t.LastFailureTime) + ": " + string(t.LastFailureReason))
}

func orDash(words string) text {
	if words == "" {
		return plain("-")
	}
	return plain(words)
}
