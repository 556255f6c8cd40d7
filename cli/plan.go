package cli

import (
	"context"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

// namedPeople is how many people of a plan are named to a person who reads; programs get all.
const namedPeople = 50

// plans are what waits in a namespace.
type plans struct {
	Directories []view.HeldPlan `json:"directories"`
	Targets     []targetPlan    `json:"targets"`
}

// targetPlan is what an AppTarget has yet to change.
type targetPlan struct {
	Target string               `json:"target"`
	Kind   string               `json:"kind"`
	Mode   v1alpha1.TargetMode  `json:"mode"`
	Reason string               `json:"reason"`
	Plan   *v1alpha1.TargetPlan `json:"plan"`
}

func (s *session) planCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "plan [DIRECTORY]",
		Short:             "Show what waits: changes that a safeguard holds, and what AppTargets have yet to change",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: s.completingDirectories(),
		RunE: func(command *cobra.Command, args []string) error {
			ctx := command.Context()
			c, err := s.connect()
			if err != nil {
				return err
			}
			var all plans
			if len(args) == 1 {
				d, err := c.directory(ctx, args[0])
				if err != nil {
					return err
				}
				all.Directories, err = c.Held(ctx, math.MaxInt, *d)
				if err != nil {
					return err
				}
			} else {
				directories, err := c.Directories(ctx)
				if err != nil {
					return err
				}
				if len(directories) == 0 {
					return c.noDirectory(ctx)
				}
				all.Directories, err = c.Held(ctx, math.MaxInt, directories...)
				if err != nil {
					return err
				}
			}
			if all.Targets, err = c.targetPlans(ctx); err != nil {
				return err
			}
			name := make([]string, 0, len(all.Directories))
			for _, h := range all.Directories {
				name = append(name, h.Plan)
			}
			return s.show(all, strings.Join(name, "\n"), func() error { return s.tellPlans(c, all) })
		},
	}
}

func (c *cluster) targetPlans(ctx context.Context) ([]targetPlan, error) {
	all := []targetPlan{}
	err := view.Pages(ctx, c.Reader, func(page *v1alpha1.AppTargetList) error {
		for i := range page.Items {
			t := &page.Items[i]
			all = append(all, targetPlan{t.Name, t.Status.Kind, t.Status.Mode, view.Reason(t.Status.Conditions), t.Status.Plan})
		}
		return nil
	})
	return all, err
}

func (s *session) tellPlans(c *cluster, all plans) error {
	if len(all.Directories) == 0 {
		s.line("No changes are held.")
	}
	for _, h := range all.Directories {
		if err := s.tellHeld(h); err != nil {
			return err
		}
		s.line("They keep it until you approve: kubectl scim approve %s -n %s", h.Directory, c.Namespace)
	}
	if len(all.Targets) == 0 {
		return nil
	}
	s.line("")
	list := &rows[targetPlan]{session: s, columns: []column[targetPlan]{
		{"TARGET", false, func(t targetPlan) text { return plain(t.Target) }},
		{"KIND", false, func(t targetPlan) text { return plain(t.Kind) }},
		{"MODE", false, func(t targetPlan) text { return plain(string(t.Mode)) }},
		{"TO GRANT", false, func(t targetPlan) text { return number(t.planned().Additions) }},
		{"TO TAKE BACK", false, func(t targetPlan) text { return number(t.planned().Removals) }},
		{"STATE", false, func(t targetPlan) text { return plain(t.Reason) }},
	}}
	for _, t := range all.Targets {
		if err := list.add(t); err != nil {
			return err
		}
	}
	list.flush()
	for _, t := range all.Targets {
		if len(t.planned().Lines) == 0 {
			continue
		}
		s.line("\n%s", bold(t.Target))
		for _, line := range t.planned().Lines {
			s.line("  %s", line)
		}
		if more := int(t.planned().Changes) - len(t.planned().Lines); more > 0 {
			s.line("  and %d more", more)
		}
	}
	return nil
}

func (t targetPlan) planned() v1alpha1.TargetPlan {
	if t.Plan == nil {
		return v1alpha1.TargetPlan{}
	}
	return *t.Plan
}

func (s *session) tellHeld(h view.HeldPlan) error {
	s.line("Plan %s of directory %s, held for %s: %s something", bold(h.Plan), h.Directory, age(h.Since).words,
		counted(h.Count, "person would lose", "people would lose"))
	list := &rows[view.HeldPerson]{session: s, columns: []column[view.HeldPerson]{
		{"USERNAME", false, func(p view.HeldPerson) text { return plain(p.UserName) }},
		{"NAME", false, func(p view.HeldPerson) text { return orDash(p.DisplayName) }},
		{"LOSES", false, func(p view.HeldPerson) text { return bad(strings.Join(p.Loses, ",")) }},
		{"BECAUSE", false, func(p view.HeldPerson) text { return plain(p.Because) }},
	}}
	shown := h.People
	if s.format == formatTable {
		shown = shown[:min(len(shown), namedPeople)]
	}
	for _, p := range shown {
		if err := list.add(p); err != nil {
			return err
		}
	}
	list.flush()
	if more := h.Count - len(shown); more > 0 {
		s.line("and %d more; -o wide names all who are marked", more)
	}
	return nil
}
