// Package grafana is a double of the part of Grafana's HTTP API that the operator calls, for tests: a real server cannot be
// built as a Go module. It is strict about what it is asked, and its answers are checked against Grafana's own client.
package grafana

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
)

// Token is what clients must send as bearer token.
const Token = "glsa_double"

// Permissions of a service account, as Grafana calls them.
const (
	ReadUsers    = "org.users:read"
	ReadTeams    = "teams:read"
	CreateTeams  = "teams:create"
	ReadMembers  = "teams.permissions:read"
	WriteMembers = "teams.permissions:write"
)

// User is a user of Grafana.
type User struct {
	ID           int64
	Login, Email string
}

// Team is a team of Grafana, with the IDs of its members.
type Team struct {
	ID          int64
	UID, Name   string
	Provisioned bool
	Members     []int64
}

// Double is one organization of Grafana. Its methods may be called at any time.
type Double struct {
	// URL is its address.
	URL string

	mu         sync.Mutex
	org        int64
	lastID     int64
	users      []User
	teams      []*Team
	hidden     map[int64]bool
	denied     map[string]bool
	down       bool
	settings   Settings
	log        []string
	writes     int
	violations []string
}

// Settings are what differs from one Grafana to another.
type Settings struct {
	// MaxPerPage is the most that an answer lists, if not zero.
	MaxPerPage int
	// UIDsOnly leaves out the numeric identifiers of teams, as Grafana does where it keeps teams elsewhere.
	UIDsOnly bool
	// FoldTeamNames takes names that differ in case only for the same, as some databases do.
	FoldTeamNames bool
}

// Start runs a double; end stops it.
func Start(settings Settings) (double *Double, end func()) {
	d := &Double{org: 1, settings: settings, hidden: map[int64]bool{}, denied: map[string]bool{}}
	server := httptest.NewServer(d.handler())
	d.URL = server.URL
	d.AddUser("admin", "admin@localhost")
	return d, server.Close
}

func (d *Double) do(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

func (d *Double) next() int64 {
	d.lastID++
	return d.lastID
}

// AddUser lets somebody sign in for the first time.
func (d *Double) AddUser(login, email string) (id int64) {
	d.do(func() {
		id = d.next()
		d.users = append(d.users, User{id, login, email})
	})
	return id
}

// ChangeUser gives a user another login and another e-mail address.
func (d *Double) ChangeUser(id int64, login, email string) {
	d.do(func() { d.users[d.indexOf(id)] = User{id, login, email} })
}

// RemoveUser deletes a user, who is no member of any team from then on.
func (d *Double) RemoveUser(id int64) {
	d.do(func() {
		d.users = slices.Delete(d.users, d.indexOf(id), d.indexOf(id)+1)
		for _, t := range d.teams {
			t.Members = slices.DeleteFunc(t.Members, func(m int64) bool { return m == id })
		}
	})
}

// HideUser shows a user to nobody, as the setting hidden_users does.
func (d *Double) HideUser(id int64) { d.do(func() { d.hidden[id] = true }) }

func (d *Double) indexOf(id int64) int {
	return slices.IndexFunc(d.users, func(u User) bool { return u.ID == id })
}

// AddTeam makes a team.
func (d *Double) AddTeam(name string, provisioned bool) (uid string) {
	d.do(func() { uid = d.addTeam(name, provisioned).UID })
	return uid
}

func (d *Double) addTeam(name string, provisioned bool) *Team {
	id := d.next()
	t := &Team{ID: id, UID: fmt.Sprintf("t%d-uid", id), Name: name, Provisioned: provisioned}
	d.teams = append(d.teams, t)
	return t
}

// RenameTeam gives a team another name.
func (d *Double) RenameTeam(uid, name string) { d.do(func() { d.team(uid).Name = name }) }

// Provision lets another system provision the members of a team from now on.
func (d *Double) Provision(uid string) { d.do(func() { d.team(uid).Provisioned = true }) }

// RemoveTeam deletes a team.
func (d *Double) RemoveTeam(uid string) {
	d.do(func() { d.teams = slices.DeleteFunc(d.teams, func(t *Team) bool { return t.UID == uid }) })
}

// team finds a team by its UID, or its numeric identifier.
func (d *Double) team(key string) *Team {
	for _, t := range d.teams {
		if t.UID == key || strconv.FormatInt(t.ID, 10) == key {
			return t
		}
	}
	return nil
}

// Join makes a user a member, as an administrator of Grafana would.
func (d *Double) Join(uid string, user int64) {
	d.do(func() { d.team(uid).Members = append(d.team(uid).Members, user) })
}

// Leave takes a member away, as an administrator of Grafana would.
func (d *Double) Leave(uid string, user int64) {
	d.do(func() {
		t := d.team(uid)
		t.Members = slices.DeleteFunc(t.Members, func(m int64) bool { return m == user })
	})
}

// Deny takes a permission away from the service account.
func (d *Double) Deny(permission string) { d.do(func() { d.denied[permission] = true }) }

// Allow gives it back.
func (d *Double) Allow(permission string) { d.do(func() { delete(d.denied, permission) }) }

// Fail lets every call fail, or none from then on.
func (d *Double) Fail(down bool) { d.do(func() { d.down = down }) }

// MoveTo makes the service account one of another organization, with other users and no teams.
func (d *Double) MoveTo(org int64) {
	d.do(func() { d.org, d.teams = org, nil })
}

// Teams are all teams.
func (d *Double) Teams() (all []Team) {
	d.do(func() {
		for _, t := range d.teams {
			c := *t
			c.Members = slices.Clone(t.Members)
			all = append(all, c)
		}
	})
	return all
}

// Held are all memberships, each as an e-mail address, a space and the name of a team, sorted.
func (d *Double) Held() []string {
	held := []string{}
	d.do(func() {
		for _, t := range d.teams {
			for _, m := range t.Members {
				held = append(held, d.words(m, t))
			}
		}
	})
	slices.Sort(held)
	return held
}

func (d *Double) words(user int64, t *Team) string {
	return d.users[d.indexOf(user)].Email + " " + t.Name
}

// Log are the changes that clients made, such as "+ada@example.com Admins".
func (d *Double) Log() (log []string) {
	d.do(func() { log = slices.Clone(d.log) })
	return log
}

// Writes is how often clients tried to change anything.
func (d *Double) Writes() (n int) {
	d.do(func() { n = d.writes })
	return n
}

// Violations are what clients asked that Grafana's API does not have.
func (d *Double) Violations() (all []string) {
	d.do(func() { all = slices.Clone(d.violations) })
	return all
}
