package grafana

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// What Grafana answers; hack/grafana/source holds it against the models of Grafana's own client.
type (
	message struct {
		Message string `json:"message"`
	}
	orgUser struct {
		OrgID  int64  `json:"orgId"`
		UserID int64  `json:"userId"`
		UID    string `json:"uid"`
		Email  string `json:"email"`
		Name   string `json:"name"`
		Login  string `json:"login"`
		Role   string `json:"role"`
	}
	orgUsers struct {
		TotalCount int       `json:"totalCount"`
		OrgUsers   []orgUser `json:"orgUsers"`
		Page       int       `json:"page"`
		PerPage    int       `json:"perPage"`
	}
	foundTeam struct {
		ID            int64  `json:"id"`
		UID           string `json:"uid"`
		OrgID         int64  `json:"orgId"`
		Name          string `json:"name"`
		MemberCount   int    `json:"memberCount"`
		IsProvisioned bool   `json:"isProvisioned"`
	}
	foundTeams struct {
		TotalCount int         `json:"totalCount"`
		Teams      []foundTeam `json:"teams"`
		Page       int         `json:"page"`
		PerPage    int         `json:"perPage"`
	}
	madeTeam struct {
		Message string `json:"message"`
		TeamID  int64  `json:"teamId"`
		UID     string `json:"uid"`
	}
	teamMember struct {
		OrgID   int64    `json:"orgId"`
		TeamID  int64    `json:"teamId"`
		TeamUID string   `json:"teamUID"`
		UserID  int64    `json:"userId"`
		UserUID string   `json:"userUID"`
		Email   string   `json:"email"`
		Login   string   `json:"login"`
		Labels  []string `json:"labels"`
	}
)

// handler serves what the operator calls. The list of the organization's users by pages is not in Grafana's OpenAPI; it is
// what Grafana's own pages call.
func (d *Double) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, e := range map[string]endpoint{
		"GET /api/org/users/search":                       {ReadUsers, d.searchUsers},
		"GET /api/teams/search":                           {ReadTeams, d.searchTeams},
		"POST /api/teams":                                 {CreateTeams, d.createTeam},
		"GET /api/teams/{team_id}/members":                {ReadMembers, d.listMembers},
		"POST /api/teams/{team_id}/members":               {WriteMembers, d.addMember},
		"DELETE /api/teams/{team_id}/members/{member_id}": {WriteMembers, d.removeMember},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { d.serve(w, r, e) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		d.do(func() { d.violate("%s %s is not part of the API", r.Method, r.URL.Path) })
		tell(w, http.StatusNotFound, message{"Not found"})
	})
	return mux
}

type endpoint struct {
	permission string
	act        func(*http.Request) (int, any)
}

func (d *Double) serve(w http.ResponseWriter, r *http.Request, e endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Method != http.MethodGet {
		d.writes++
	}
	switch {
	case d.down:
		http.Error(w, "upstream connect error", http.StatusServiceUnavailable)
	case r.Header.Get("Authorization") != "Bearer "+Token:
		tell(w, http.StatusUnauthorized, message{"Invalid API key"})
	case d.denied[e.permission]:
		tell(w, http.StatusForbidden,
			message{"You'll need additional permissions to perform this action. Permissions needed: " + e.permission})
	default:
		status, body := e.act(r)
		tell(w, status, body)
	}
}

func tell(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that does not listen
}

func (d *Double) violate(format string, args ...any) {
	d.violations = append(d.violations, fmt.Sprintf(format, args...))
}

// bind reads a body that may have the fields of the command, and no others.
func (d *Double) bind(r *http.Request, command any) bool {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(command)
	if err == nil && decoder.Decode(&struct{}{}) != io.EOF {
		err = fmt.Errorf("more than one value")
	}
	if err != nil || r.Header.Get("Content-Type") != "application/json" {
		d.violate("%s %s: the body is not as it should be: %v", r.Method, r.URL.Path, err)
		return false
	}
	return true
}

// paged is which part of a list is asked for.
func (d *Double) paged(r *http.Request, known ...string) (page, size int) {
	page, size = 1, 1000
	for key, values := range r.URL.Query() {
		n, err := strconv.Atoi(values[0])
		switch {
		case !slices.Contains(known, key):
			d.violate("%s has no parameter %s", r.URL.Path, key)
		case key == "page" && err == nil && n > 0:
			page = n
		case key == "perpage" && err == nil && n > 0:
			size = n
		case key == "page" || key == "perpage":
			d.violate("%s: %s is no number", r.URL.Path, key)
		}
	}
	if d.settings.MaxPerPage > 0 {
		size = min(size, d.settings.MaxPerPage)
	}
	return page, size
}

// part is a page of a list.
func part[T any](all []T, page, size int) []T {
	from := min((page-1)*size, len(all))
	return all[from:min(from+size, len(all))]
}

func (d *Double) searchUsers(r *http.Request) (int, any) {
	page, size := d.paged(r, "perpage", "page", "query", "sort")
	answer := orgUsers{TotalCount: len(d.users), OrgUsers: []orgUser{}, Page: page, PerPage: size}
	for _, u := range part(d.users, page, size) {
		if !d.hidden[u.ID] {
			answer.OrgUsers = append(answer.OrgUsers, orgUser{
				OrgID: d.org, UserID: u.ID, UID: fmt.Sprintf("u%d", u.ID), Email: u.Email, Login: u.Login, Name: u.Login, Role: "Viewer",
			})
		}
	}
	return http.StatusOK, answer
}

func (d *Double) searchTeams(r *http.Request) (int, any) {
	page, size := d.paged(r, "perpage", "page", "name", "query", "accesscontrol", "sort")
	answer := foundTeams{TotalCount: len(d.teams), Teams: []foundTeam{}, Page: page, PerPage: size}
	for _, t := range part(d.teams, page, size) {
		found := foundTeam{
			ID: t.ID, UID: t.UID, OrgID: d.org, Name: t.Name, MemberCount: len(t.Members), IsProvisioned: t.Provisioned,
		}
		if d.settings.UIDsOnly {
			found.ID = 0
		}
		answer.Teams = append(answer.Teams, found)
	}
	return http.StatusOK, answer
}

func (d *Double) createTeam(r *http.Request) (int, any) {
	var command struct{ Name, Email string }
	if !d.bind(r, &command) || command.Name == "" {
		return http.StatusBadRequest, message{"bad request data"}
	}
	for _, t := range d.teams {
		if t.Name == command.Name || d.settings.FoldTeamNames && strings.EqualFold(t.Name, command.Name) {
			return http.StatusConflict, message{"Team name taken"}
		}
	}
	t := d.addTeam(command.Name, false)
	return http.StatusOK, madeTeam{"Team created", t.ID, t.UID}
}

func (d *Double) listMembers(r *http.Request) (int, any) {
	t := d.team(r.PathValue("team_id"))
	if t == nil {
		return http.StatusNotFound, message{"Not found"}
	}
	members := []teamMember{}
	for _, id := range t.Members {
		if u := d.users[d.indexOf(id)]; !d.hidden[id] {
			members = append(members, teamMember{
				OrgID: d.org, TeamID: t.ID, TeamUID: t.UID, UserID: id, UserUID: fmt.Sprintf("u%d", id),
				Email: u.Email, Login: u.Login, Labels: []string{},
			})
		}
	}
	return http.StatusOK, members
}

var (
	isProvisioned = message{"Team memberships cannot be updated for provisioned teams"}
	noTeam        = message{"Team not found"}
)

func (d *Double) addMember(r *http.Request) (int, any) {
	var command struct {
		UserID int64 `json:"userId"`
	}
	t := d.team(r.PathValue("team_id"))
	switch {
	case !d.bind(r, &command):
		return http.StatusBadRequest, message{"bad request data"}
	case t == nil:
		return http.StatusNotFound, noTeam
	case t.Provisioned:
		return http.StatusBadRequest, isProvisioned
	case slices.Contains(t.Members, command.UserID):
		return http.StatusBadRequest, message{"User is already added to this team"}
	case d.indexOf(command.UserID) < 0:
		return http.StatusInternalServerError, message{"Failed to add Member to Team"}
	}
	t.Members = append(t.Members, command.UserID)
	d.log = append(d.log, "+"+d.words(command.UserID, t))
	return http.StatusOK, message{"Member added to Team"}
}

func (d *Double) removeMember(r *http.Request) (int, any) {
	t := d.team(r.PathValue("team_id"))
	id, err := strconv.ParseInt(r.PathValue("member_id"), 10, 64)
	switch {
	case err != nil:
		d.violate("%s names no user", r.URL.Path)
		return http.StatusBadRequest, message{"userId is invalid"}
	case t == nil:
		return http.StatusNotFound, noTeam
	case t.Provisioned:
		return http.StatusBadRequest, isProvisioned
	case d.indexOf(id) < 0:
		return http.StatusInternalServerError, message{"Failed to remove Member from Team"}
	case !slices.Contains(t.Members, id):
		return http.StatusNotFound, message{"Team member not found"}
	}
	d.log = append(d.log, "-"+d.words(id, t))
	t.Members = slices.DeleteFunc(t.Members, func(m int64) bool { return m == id })
	return http.StatusOK, message{"Team Member removed"}
}
