package grafana

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// lookTimeout bounds one look at Grafana, however many calls that takes.
const lookTimeout = 2 * time.Minute

// view is what was seen of Grafana.
type view struct {
	// org is the organization that the token is of.
	org int64
	// ids are the users of the organization by their names. More than one have a name that differs in case only.
	ids map[string][]int64
	// teams are by their UIDs, named by their names.
	teams map[string]team
	named map[string][]string
	// members are those of the teams that matter.
	members map[membership]bool
	// recorded are the memberships on record behind each grant.
	recorded map[targets.Grant][]membership
}

// membership is a user in a team, as the record has it.
type membership struct {
	user int64
	uid  string
}

// entry is a membership on record. The organization is part of it: identifiers mean something else in another one.
func (v *view) entry(m membership) targets.Grant {
	return targets.Grant{Subject: strconv.FormatInt(m.user, 10), Entitlement: strconv.FormatInt(v.org, 10) + "/" + m.uid}
}

// Observe reads the users of the organization, the teams, and the members of those that matter.
func (s *system) Observe(ctx context.Context) (*targets.Observation, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	users, err := s.grafana.users(ctx)
	if err != nil {
		return nil, err
	}
	teams, err := s.grafana.teams(ctx)
	if err != nil {
		return nil, err
	}
	s.view = view{
		ids: map[string][]int64{}, teams: map[string]team{}, named: map[string][]string{},
		members: map[membership]bool{}, recorded: map[targets.Grant][]membership{},
	}
	if s.org, err = organizationOf(users); err != nil {
		return nil, err
	}
	known := map[int64]string{}
	for _, u := range users {
		if name := s.nameOf(u); name != "" && u.UserID > 0 {
			known[u.UserID] = name
			s.ids[name] = append(s.ids[name], u.UserID)
		}
	}
	for _, t := range teams {
		if t.UID == "" {
			return nil, errOld
		}
		s.teams[t.UID] = t
		s.named[t.Name] = append(s.named[t.Name], t.UID)
	}
	recorded, err := s.onRecord()
	if err != nil {
		return nil, err
	}
	shown, err := s.readMembers(ctx, recorded)
	if err != nil {
		return nil, err
	}
	return s.compare(known, recorded, shown), nil
}

// organizationOf is the organization that users are of. Without any, nothing could be told from what is on record.
func organizationOf(users []user) (int64, error) {
	if len(users) == 0 || users[0].OrgID == 0 {
		return 0, targets.Refuse("Grafana shows no user of the organization: give the service account the permission " +
			"org.users:read with scope users:*, or the role Admin")
	}
	return users[0].OrgID, nil
}

// onRecord are the memberships on record. Those of another organization are out of the token's reach, and must not be taken
// for gone.
func (s *system) onRecord() (map[membership]bool, error) {
	all := map[membership]bool{}
	for e := range s.ledger.Entries() {
		id, err := strconv.ParseInt(e.Subject, 10, 64)
		if err != nil {
			continue // nothing that this kind recorded
		}
		for _, g := range e.Grants {
			org, uid, _ := strings.Cut(g, "/")
			if org != strconv.FormatInt(s.org, 10) {
				return nil, targets.Refuse("the token is of organization %d of Grafana, but the target gave access in organization %s: "+
					"put a token of that one into the Secret %q", s.org, org, s.grafana.secret)
			}
			all[membership{id, uid}] = true
		}
	}
	return all, nil
}

// readMembers reads the teams that the spec names, and those on record.
func (s *system) readMembers(ctx context.Context, recorded map[membership]bool) (map[membership]user, error) {
	matter := map[string]bool{}
	for name := range s.names {
		for _, uid := range s.named[name] {
			matter[uid] = true
		}
	}
	for m := range recorded {
		if _, is := s.teams[m.uid]; is {
			matter[m.uid] = true
		}
	}
	type roll struct {
		uid   string
		users []user
	}
	rolls := make(chan roll, len(matter))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(sideBySide)
	for uid := range matter {
		g.Go(func() error {
			users, err := s.grafana.members(ctx, s.teams[uid])
			rolls <- roll{uid, users}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	close(rolls)
	shown := map[membership]user{}
	for r := range rolls {
		for _, u := range r.users {
			shown[membership{u.UserID, r.uid}] = u
		}
	}
	return shown, nil
}

// compare tells ours from others' memberships, and which of ours Grafana does not show.
func (s *system) compare(known map[int64]string, recorded map[membership]bool, shown map[membership]user) *targets.Observation {
	o := targets.NewObservation()
	o.Missing = s.missing
	s.block(o)
	for m, u := range shown {
		s.members[m] = true
		g := s.grantOf(m, s.nameOf(u))
		if recorded[m] {
			o.Ours.Add(g)
			s.recorded[g] = append(s.recorded[g], m)
		} else {
			o.Others.Add(g)
		}
	}
	for m := range recorded {
		if _, is := shown[m]; is {
			continue
		}
		g := s.grantOf(m, known[m.user])
		o.Unseen.Add(g)
		s.recorded[g] = append(s.recorded[g], m)
	}
	return o
}

// block keeps people from being added to teams that cannot be told apart, or whose members Grafana lets nobody change.
func (s *system) block(o *targets.Observation) {
	for name := range s.names {
		uids := s.named[name]
		why := ""
		switch {
		case len(uids) > 1:
			why = fmt.Sprintf("Grafana has more than one team %q: rename all but one", name)
		case len(uids) == 1 && s.teams[uids[0]].IsProvisioned:
			why = provisioned(name)
		default:
			continue
		}
		o.Blocked[entitlementOf(name)] = targets.Obstacle{Reason: v1alpha1.ReasonTargetRefused, Message: why, Revocable: true}
	}
}

func provisioned(team string) string {
	return fmt.Sprintf("the members of the team %q are provisioned into Grafana by another system, and Grafana lets nobody else "+
		"change them: name another team, or end the provisioning", team)
}

// errOld is about servers before teams had UIDs, and those that take none in paths.
var errOld = targets.Refuse("Grafana tells no UIDs of teams: Grafana 12 or later is needed")

// grantOf is a membership in words.
func (s *system) grantOf(m membership, name string) targets.Grant {
	if name == "" {
		name = nameOfUnknown(m.user)
	}
	if t, is := s.teams[m.uid]; is {
		return targets.Grant{Subject: name, Entitlement: entitlementOf(t.Name)}
	}
	return targets.Grant{Subject: name, Entitlement: entitlementOfUnknown(m.uid)}
}

// missing says why Grafana knows nobody of a name, or not whom.
func (s *system) missing(subject string) string {
	switch len(s.ids[subject]) {
	case 0:
		return fmt.Sprintf("Grafana has no user with their %s until they first sign in", s.subject)
	case 1:
		return ""
	default:
		return fmt.Sprintf("more than one user of Grafana has their %s, apart from case: delete all but one", s.subject)
	}
}
