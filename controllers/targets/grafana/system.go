package grafana

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

// change is what is done about one membership for the sake of a grant.
type change struct {
	grant targets.Grant
	membership
	team team
}

// Grant adds people to teams, and makes the teams that are missing. What is on record before it is there counts as ours.
func (s *system) Grant(ctx context.Context, grants []targets.Grant) ([]targets.Grant, error) {
	var changes []change
	var refused error
	for _, g := range grants {
		c, err := s.addition(ctx, g)
		switch {
		case err == nil:
			changes = append(changes, c)
		case !targets.IsRefused(err):
			return nil, err
		default:
			refused = cmp.Or(refused, err)
		}
	}
	if err := s.ledger.Claim(ctx, s.entries(changes)); err != nil {
		return nil, err
	}
	carried, err := s.each(ctx, changes, s.add)
	done := make([]targets.Grant, 0, len(carried))
	for _, c := range carried {
		s.members[c.membership] = true
		if !slices.Contains(s.recorded[c.grant], c.membership) {
			s.recorded[c.grant] = append(s.recorded[c.grant], c.membership)
		}
		done = append(done, c.grant)
	}
	return done, cmp.Or(err, refused)
}

// addition says whom to add to which team. It makes the team if there is none.
func (s *system) addition(ctx context.Context, g targets.Grant) (change, error) {
	if err := s.refused[g.Entitlement]; err != nil {
		return change{}, err
	}
	t, err := s.teamFor(ctx, g.Entitlement)
	if err != nil {
		if targets.IsRefused(err) {
			s.refused[g.Entitlement] = err
		}
		return change{}, err
	}
	ids := s.ids[g.Subject]
	if len(ids) != 1 {
		return change{}, targets.Refuse("a person cannot be added to a team: %s", s.missing(g.Subject))
	}
	return change{g, membership{ids[0], t.UID}, t}, nil
}

// teamFor is the team of that very name, which is made if there is none.
func (s *system) teamFor(ctx context.Context, entitlement string) (team, error) {
	name := strings.TrimPrefix(entitlement, entitlementOf(""))
	if uids := s.named[name]; len(uids) > 0 {
		return s.teams[uids[0]], nil // of more than one, none is reached: they are blocked
	}
	t, err := s.grafana.create(ctx, name)
	switch {
	case statusOf(err) == http.StatusConflict:
		return team{}, targets.Refuse("Grafana has a team whose name differs from %q in case only: write it as Grafana does", name)
	case err != nil:
		return team{}, err
	case t.UID == "":
		return team{}, errOld
	}
	s.teams[t.UID] = t
	s.named[name] = []string{t.UID}
	return t, nil
}

// add puts somebody into a team. Grafana refuses to add a member again, by a status that it has for other refusals too.
func (s *system) add(ctx context.Context, c change) error {
	if s.members[c.membership] {
		return nil
	}
	err := s.grafana.add(ctx, c.team, c.user)
	if status := statusOf(err); status != http.StatusBadRequest && status != http.StatusConflict {
		return err
	}
	members, failure := s.grafana.members(ctx, c.team)
	if failure != nil {
		return failure
	}
	for _, m := range members {
		if m.UserID == c.user {
			return nil
		}
	}
	return err
}

// Revoke takes people out of teams: whom exactly is on record, also when they are called otherwise by now.
func (s *system) Revoke(ctx context.Context, grants []targets.Grant) ([]targets.Grant, error) {
	var changes []change
	var refused error
	left := map[targets.Grant]int{}
	for _, g := range grants {
		left[g] = len(s.recorded[g])
		if err := s.refused[g.Entitlement]; err != nil {
			refused = cmp.Or(refused, err)
			continue
		}
		for _, m := range s.recorded[g] {
			t, is := s.teams[m.uid]
			if !is {
				t = team{UID: m.uid, Name: m.uid}
			}
			changes = append(changes, change{g, m, t})
		}
	}
	gone, err := s.each(ctx, changes, s.remove)
	if failure := s.ledger.Release(ctx, s.entries(gone)); failure != nil {
		return nil, failure
	}
	for _, c := range gone {
		delete(s.members, c.membership)
		left[c.grant]--
	}
	var done []targets.Grant
	for _, g := range grants {
		if left[g] == 0 {
			delete(s.recorded, g)
			done = append(done, g)
		}
	}
	return done, cmp.Or(err, refused)
}

// remove takes somebody out of a team.
func (s *system) remove(ctx context.Context, c change) error {
	if _, err := strconv.ParseInt(c.team.UID, 10, 64); err == nil && c.team.ID == 0 {
		return nil // a team that is gone; Grafana would take the number for the identifier of another
	}
	if c.team.IsProvisioned {
		return targets.Refuse("%s", provisioned(c.team.Name))
	}
	err := s.grafana.remove(ctx, c.team, c.user)
	switch status := statusOf(err); {
	case status == http.StatusNotFound:
	case status == http.StatusInternalServerError && !s.members[c.membership]:
		// So Grafana answers about a user who was deleted.
	default:
		return err
	}
	// The team, or the membership, is gone only if it is Grafana that says so, and not what stands in its place for a while.
	return s.grafana.answers(ctx)
}

// each carries out changes side by side, and returns those that went through. What Grafana refuses keeps nothing else
// waiting; when it is down, the rest is not tried.
func (s *system) each(ctx context.Context, changes []change, act func(context.Context, change) error) (done []change, err error) {
	results := make([]error, len(changes))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(sideBySide)
	for i, c := range changes {
		g.Go(func() error {
			if results[i] = ctx.Err(); results[i] == nil {
				results[i] = act(ctx, c)
			}
			if results[i] != nil && !targets.IsRefused(results[i]) {
				return results[i]
			}
			return nil
		})
	}
	down := g.Wait()
	for i, c := range changes {
		if results[i] == nil {
			done = append(done, c)
			continue
		}
		s.noteRefusal(c.grant.Entitlement, results[i])
		if err == nil {
			err = results[i]
		}
	}
	if down != nil {
		err = down
	}
	return done, err
}

// noteRefusal remembers what the service account may not do, so that it is not tried for everybody else as well.
func (s *system) noteRefusal(entitlement string, err error) {
	switch statusOf(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		s.refused[entitlement] = err
	}
}

func (s *system) entries(changes []change) []targets.Grant {
	entries := make([]targets.Grant, 0, len(changes))
	for _, c := range changes {
		entries = append(entries, s.entry(c.membership))
	}
	return entries
}
