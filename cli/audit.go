package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

// occurrence is an Event in words.
type occurrence struct {
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`
	Note   string    `json:"note"`
	Count  int32     `json:"count"`

	name string
}

func (s *session) auditCommand() *cobra.Command {
	var user, group, directory string
	command := &cobra.Command{
		Use:   "audit --user NAME | --group NAME",
		Short: "Tell what happened to a user or a group, in order",
		Long: `Tell what happened to a user or a group, in order, from the Events that Kubernetes keeps: for an hour, unless its API
server is told otherwise. For all that ever happened, see the operator's audit log. Who is deleted already is named by id.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx := command.Context()
			c, err := s.connect()
			if err != nil {
				return err
			}
			if err := c.expect(command, directory); err != nil {
				return err
			}
			kind, word := view.KindUser, user
			if group != "" {
				kind, word = view.KindGroup, group
			}
			id, name, err := c.subject(ctx, kind, word, directory)
			if err != nil {
				return err
			}
			happened, err := c.happened(ctx, kind, id)
			if err != nil {
				return err
			}
			list := &rows[occurrence]{
				session: s,
				name:    func(o occurrence) string { return "event/" + o.name },
				object:  func(o occurrence) any { return o },
				columns: []column[occurrence]{
					{"TIME", false, func(o occurrence) text { return plain(o.Time.UTC().Format(time.RFC3339)) }},
					{"EVENT", false, func(o occurrence) text { return plain(o.Reason) }},
					{"WHAT", false, func(o occurrence) text { return plain(o.Note + times(o.Count)) }},
				},
			}
			for _, o := range happened {
				if err := list.add(o); err != nil {
					return err
				}
			}
			list.end(fmt.Sprintf("Kubernetes remembers nothing about %s. It keeps Events for about an hour; the operator's audit log keeps all.", name))
			return nil
		},
	}
	command.Flags().StringVar(&user, "user", "", "userName, e-mail address, displayName or id of the user")
	command.Flags().StringVar(&group, "group", "", "displayName or id of the group")
	command.MarkFlagsMutuallyExclusive("user", "group")
	command.MarkFlagsOneRequired("user", "group")
	s.bindDirectory(command, &directory)
	return command
}

// subject finds what is asked about. Of what is deleted, the id is good enough.
func (c *cluster) subject(ctx context.Context, kind, word, directory string) (id, name string, err error) {
	if kind == view.KindUser {
		var u *v1alpha1.ScimUser
		if u, err = c.user(ctx, word, directory); err == nil {
			return u.Name, u.Spec.UserName, nil
		}
	} else {
		var g *v1alpha1.ScimGroup
		if g, err = c.group(ctx, word, directory); err == nil {
			return g.Name, g.Spec.DisplayName, nil
		}
	}
	var none *unknown
	if errors.As(err, &none) && uuid.Validate(word) == nil {
		return word, word, nil
	}
	return "", "", err
}

// happened are the Events about an object, the oldest first, with names in the place of ids.
func (c *cluster) happened(ctx context.Context, kind, id string) ([]occurrence, error) {
	var all []occurrence
	err := view.Pages(ctx, c.Reader, func(page *corev1.EventList) error {
		for i := range page.Items {
			e := &page.Items[i]
			o := occurrence{e.LastTimestamp.Time, e.Reason, e.Message, e.Count, e.Name}
			if e.Series != nil {
				o.Time, o.Count = e.Series.LastObservedTime.Time, e.Series.Count
			}
			if o.Time.IsZero() {
				o.Time = e.EventTime.Time
			}
			all = append(all, o)
		}
		return nil
	}, client.MatchingFields{"involvedObject.kind": kind, "involvedObject.name": id})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b occurrence) int { return a.Time.Compare(b.Time) })
	known := map[string]string{}
	for i := range all {
		if all[i].Note, err = c.naming(ctx, all[i].Note, known); err != nil {
			return nil, err
		}
	}
	return all, nil
}

var mentioned = regexp.MustCompile(`(?:ScimUser/|ScimGroup/|Member )[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// naming puts names in the place of ids; an id of what is gone stays.
func (c *cluster) naming(ctx context.Context, note string, known map[string]string) (string, error) {
	var failed error
	named := mentioned.ReplaceAllStringFunc(note, func(mention string) string {
		if name, is := known[mention]; is {
			return name
		}
		id, name := mention[len(mention)-36:], ""
		u, err := view.Find[v1alpha1.ScimUser](ctx, c.Reader, id)
		if u != nil {
			name = u.Spec.UserName
		}
		var g *v1alpha1.ScimGroup
		if err == nil && u == nil {
			if g, err = view.Find[v1alpha1.ScimGroup](ctx, c.Reader, id); g != nil {
				name = g.Spec.DisplayName
			}
		}
		failed = errors.Join(failed, err)
		switch {
		case name == "":
			name = mention
		case mention[0] == 'M':
			name = "Member " + name
		}
		known[mention] = name
		return name
	})
	return named, failed
}

func times(n int32) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" (%d times)", n)
}
