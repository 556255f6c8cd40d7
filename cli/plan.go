package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// namedPeople is how many people of a plan are named to a person who reads; programs get all.
const namedPeople = 50

// plans are what waits in a namespace.
type plans struct {
	Directories []heldPlan   `json:"directories"`
	Targets     []targetPlan `json:"targets"`
}

// heldPlan is the removals of access that a directory's safeguard holds back.
type heldPlan struct {
	Directory string       `json:"directory"`
	Plan      string       `json:"plan"`
	Since     metav1.Time  `json:"since"`
	Count     int          `json:"count"`
	People    []heldPerson `json:"people"`
}

// heldPerson is who would lose what, and why.
type heldPerson struct {
	UserName    string   `json:"userName"`
	DisplayName string   `json:"displayName,omitempty"`
	Loses       []string `json:"loses"`
	Because     string   `json:"because"`
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
				all.Directories, err = c.held(ctx, *d)
				if err != nil {
					return err
				}
			} else {
				directories, err := c.directories(ctx)
				if err != nil {
					return err
				}
				if len(directories) == 0 {
					return c.noDirectory(ctx)
				}
				all.Directories, err = c.held(ctx, directories...)
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

// held says what the safeguards of these directories hold back.
func (c *cluster) held(ctx context.Context, directories ...v1alpha1.ScimDirectory) ([]heldPlan, error) {
	all := []heldPlan{}
	place := map[string]int{}
	for i := range directories {
		if h := directories[i].Status.Held; h != nil {
			place[directories[i].Name] = len(all)
			all = append(all, heldPlan{Directory: directories[i].Name, Plan: h.Plan, Since: h.Since, Count: int(h.People), People: []heldPerson{}})
		}
	}
	if len(all) == 0 {
		return all, nil
	}
	a := c.access()
	primary, err := a.primary(ctx)
	if err != nil {
		return nil, err
	}
	return all, pages(ctx, c, func(page *v1alpha1.AppMembershipList) error {
		for i := range page.Items {
			m := &page.Items[i]
			at, waits := place[m.Status.ManagedBy]
			if !waits || reason(m.Status.Conditions) != v1alpha1.ReasonChangesHeld {
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
func (a *access) loss(ctx context.Context, m *v1alpha1.AppMembership, primary string) (heldPerson, error) {
	p := heldPerson{UserName: m.Spec.User.UserName, DisplayName: m.Spec.User.DisplayName, Loses: []string{"access"}}
	var u *v1alpha1.ScimUser
	if m.Spec.UserRef != nil {
		var err error
		if u, err = find[v1alpha1.ScimUser](ctx, a.cluster, m.Spec.UserRef.Name); err != nil {
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
			r, err := find[v1alpha1.AppRole](ctx, a.cluster, grant.Role)
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

func (c *cluster) targetPlans(ctx context.Context) ([]targetPlan, error) {
	all := []targetPlan{}
	err := pages(ctx, c, func(page *v1alpha1.AppTargetList) error {
		for i := range page.Items {
			t := &page.Items[i]
			all = append(all, targetPlan{t.Name, t.Status.Kind, t.Status.Mode, reason(t.Status.Conditions), t.Status.Plan})
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
		s.line("They keep it until you approve: kubectl scim approve %s -n %s", h.Directory, c.namespace)
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

func (s *session) tellHeld(h heldPlan) error {
	s.line("Plan %s of directory %s, held for %s: %s something", bold(h.Plan), h.Directory, age(h.Since).words,
		counted(h.Count, "person would lose", "people would lose"))
	list := &rows[heldPerson]{session: s, columns: []column[heldPerson]{
		{"USERNAME", false, func(p heldPerson) text { return plain(p.UserName) }},
		{"NAME", false, func(p heldPerson) text { return orDash(p.DisplayName) }},
		{"LOSES", false, func(p heldPerson) text { return bad(strings.Join(p.Loses, ",")) }},
		{"BECAUSE", false, func(p heldPerson) text { return plain(p.Because) }},
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
