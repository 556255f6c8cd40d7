package grafana

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

const (
	// perPage is how many users or teams are asked for at once; an answer of that many is far below what is read of one.
	perPage = 1000
	// maxPages bounds what is listed, so that no address that a target names fills the operator's memory.
	maxPages = 500
	// sideBySide is how many calls are made at the same time.
	sideBySide = 8
)

// client calls Grafana's HTTP API.
type client struct {
	api    targets.API
	secret string // the name of the Secret with the token
}

// user is a user of the organization, or a member of a team.
type user struct {
	UserID int64  `json:"userId"`
	OrgID  int64  `json:"orgId"`
	Login  string `json:"login"`
	Email  string `json:"email"`
}

type team struct {
	// ID is zero where Grafana tells the UID alone.
	ID            int64  `json:"id"`
	UID           string `json:"uid"`
	OrgID         int64  `json:"orgId"`
	Name          string `json:"name"`
	IsProvisioned bool   `json:"isProvisioned"`
}

// path is that of a team.
func (t team) path() string {
	if t.ID > 0 {
		return "/api/teams/" + strconv.FormatInt(t.ID, 10)
	}
	return "/api/teams/" + url.PathEscape(t.UID)
}

// page is a part of a list; users and teams come in different fields.
type page struct {
	Users      []user `json:"orgUsers"`
	Teams      []team `json:"teams"`
	TotalCount int    `json:"totalCount"`
	PerPage    int    `json:"perPage"`
}

const (
	usersPath = "/api/org/users/search"
	teamsPath = "/api/teams/search"
)

var (
	listUsers = call{"list the users of the organization", "org.users:read with scope users:*"}
	listTeams = call{"list the teams", "teams:read with scope teams:*"}
)

func (c client) users(ctx context.Context) (all []user, err error) {
	err = c.list(ctx, usersPath, listUsers, func(p page) { all = append(all, p.Users...) })
	return all, err
}

func (c client) teams(ctx context.Context) (all []team, err error) {
	err = c.list(ctx, teamsPath, listTeams, func(p page) { all = append(all, p.Teams...) })
	return all, err
}

// list reads all pages of a list, in no order. What a change in between moves to a page that was read already is missed, until
// the next look.
func (c client) list(ctx context.Context, path string, what call, keep func(page)) error {
	first, err := c.page(ctx, path, perPage, 1, what)
	if err != nil {
		return err
	}
	keep(first)
	size := perPage
	if 0 < first.PerPage && first.PerPage < perPage {
		size = first.PerPage // Grafana gives no more at once
	}
	last := (first.TotalCount + size - 1) / size
	if last > maxPages {
		return fmt.Errorf("%s: there are %d pages of them, more than %d", what.doing, last, maxPages)
	}
	var one sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(sideBySide)
	for n := 2; n <= last; n++ {
		g.Go(func() error {
			p, err := c.page(ctx, path, size, n, what)
			one.Lock()
			defer one.Unlock()
			keep(p)
			return err
		})
	}
	return g.Wait()
}

func (c client) page(ctx context.Context, path string, size, n int, what call) (p page, err error) {
	err = c.call(ctx, http.MethodGet, fmt.Sprintf("%s?perpage=%d&page=%d", path, size, n), nil, &p, what)
	return p, err
}

// answers returns an error unless it is Grafana that answers.
func (c client) answers(ctx context.Context) error {
	_, err := c.page(ctx, teamsPath, 1, 1, listTeams)
	return err
}

func (c client) members(ctx context.Context, t team) (all []user, err error) {
	err = c.call(ctx, http.MethodGet, t.path()+"/members", nil, &all,
		call{"read the members of " + quoted(t.Name), "teams.permissions:read with scope teams:*"})
	return all, err
}

func (c client) create(ctx context.Context, name string) (team, error) {
	var made struct {
		TeamID int64  `json:"teamId"`
		UID    string `json:"uid"`
	}
	err := c.call(ctx, http.MethodPost, "/api/teams", map[string]string{"name": name}, &made,
		call{"make " + quoted(name), "teams:create"})
	return team{ID: made.TeamID, UID: made.UID, Name: name}, err
}

func (c client) add(ctx context.Context, t team, user int64) error {
	return c.call(ctx, http.MethodPost, t.path()+"/members", map[string]int64{"userId": user}, nil,
		call{"change the members of " + quoted(t.Name), mayWrite})
}

func (c client) remove(ctx context.Context, t team, user int64) error {
	return c.call(ctx, http.MethodDelete, t.path()+"/members/"+strconv.FormatInt(user, 10), nil, nil,
		call{"change the members of " + quoted(t.Name), mayWrite})
}

const mayWrite = "teams.permissions:write with scope teams:*"

func quoted(team string) string { return fmt.Sprintf("the team %q", team) }

// call says in words what a call does, and which permission it takes.
type call struct{ doing, permission string }

// answer is an error that still tells the status that Grafana answered with.
type answer struct {
	error
	status int
}

func (a answer) Unwrap() error { return a.error }

// statusOf is the status of Grafana's answer; zero for an error that is none.
func statusOf(err error) int {
	if a, is := errors.AsType[answer](err); is {
		return a.status
	}
	return 0
}

func (c client) call(ctx context.Context, method, path string, in, out any, what call) error {
	err := c.api.Call(ctx, method, path, in, out)
	status, is := errors.AsType[*targets.StatusError](err)
	if !is {
		return err
	}
	return answer{c.explain(status, what), status.Status}
}

// explain is a Refused where the administrator of Grafana, or of the target, can mend it.
func (c client) explain(err *targets.StatusError, what call) error {
	switch status := err.Status; {
	case status == http.StatusUnauthorized:
		return targets.Refuse("Grafana does not accept the token: put that of a service account, which is neither disabled nor "+
			"expired, into the Secret %q", c.secret)
	case status == http.StatusForbidden:
		return targets.Refuse("Grafana does not let the service account %s: give it the permission %s, or the role Admin",
			what.doing, what.permission)
	case status < http.StatusBadRequest || status == http.StatusNotFound:
		return targets.Refuse("%s: %v: url has to be the address of Grafana itself, with the path below which it is served",
			what.doing, err)
	case status < http.StatusInternalServerError && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout:
		return targets.Refuse("%s: Grafana %v", what.doing, err)
	default:
		return fmt.Errorf("%s: Grafana %w", what.doing, err)
	}
}
