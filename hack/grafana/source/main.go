// Command grafana-contract calls a server by Grafana's own client, which is generated from Grafana's OpenAPI, and ends with
// an error when the server is asked, or answers, otherwise than the client understands. Arguments are the server's host and
// port; the token is in GRAFANA_TOKEN. The server has at least one user, and no team called Contract.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/go-openapi/runtime"
	"github.com/go-openapi/strfmt"

	"github.com/grafana/grafana-openapi-client-go/client"
	"github.com/grafana/grafana-openapi-client-go/client/teams"
	"github.com/grafana/grafana-openapi-client-go/models"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: grafana-contract HOST:PORT")
		os.Exit(2)
	}
	if err := check(os.Args[1], os.Getenv("GRAFANA_TOKEN")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// validated is a model that knows what the OpenAPI requires of it.
type validated interface {
	Validate(strfmt.Registry) error
}

// strict reads each answer once more, into a model that must have all its fields.
type strict struct {
	model func(*http.Request) any
	err   error
}

// RoundTrip is http.RoundTripper's.
func (s *strict) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || response.StatusCode != http.StatusOK {
		return response, err
	}
	content, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(content))
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	model := s.model(r)
	if err := decoder.Decode(model); err != nil {
		s.err = errors.Join(s.err, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err))
	}
	if v, is := model.(validated); is {
		if err := v.Validate(strfmt.Default); err != nil {
			s.err = errors.Join(s.err, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err))
		}
	}
	return response, nil
}

// modelOf is what the OpenAPI answers to a request.
func modelOf(r *http.Request) any {
	switch {
	case strings.HasSuffix(r.URL.Path, "/org/users/search"):
		return new(models.SearchOrgUsersQueryResult)
	case strings.HasSuffix(r.URL.Path, "/teams/search"):
		return new(models.SearchTeamQueryResult)
	case strings.HasSuffix(r.URL.Path, "/teams"):
		return new(models.CreateTeamOKBody)
	case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/members"):
		return new([]*models.TeamMemberDTO)
	default:
		return new(models.SuccessResponseBody)
	}
}

func check(host, token string) error {
	answers := &strict{model: modelOf}
	connect := func(token string) *client.GrafanaHTTPAPI {
		return client.NewHTTPClientWithConfig(strfmt.Default, &client.TransportConfig{
			Host: host, BasePath: "/api", Schemes: []string{"http"}, APIKey: token, Client: &http.Client{Transport: answers},
		})
	}
	user, err := someUser(answers, host, token)
	if err != nil {
		return err
	}
	if err := useTeams(connect(token).Teams, user); err != nil {
		return err
	}
	stranger := new(teams.SearchTeamsUnauthorized)
	if _, err := connect("nobody's").Teams.SearchTeams(teams.NewSearchTeamsParams()); !errors.As(err, &stranger) {
		return fmt.Errorf("search teams with another token: %w", unexpected(err))
	}
	return answers.err
}

// someUser reads the list by pages that Grafana's own pages read, which is not in the OpenAPI; what it answers is.
func someUser(answers *strict, host, token string) (int64, error) {
	request, err := http.NewRequest(http.MethodGet, "http://"+host+"/api/org/users/search?perpage=1&page=1", nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := answers.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var list models.SearchOrgUsersQueryResult
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return 0, err
	}
	if len(list.OrgUsers) != 1 || list.TotalCount < 1 || list.Page != 1 || list.PerPage != 1 {
		return 0, fmt.Errorf("the list of users is %+v", list)
	}
	return list.OrgUsers[0].UserID, nil
}

func useTeams(c teams.ClientService, user int64) error {
	name := "Contract"
	made, err := c.CreateTeam(&models.CreateTeamCommand{Name: &name})
	if err != nil {
		return fmt.Errorf("create a team: %w", err)
	}
	uid := made.Payload.UID
	taken := new(teams.CreateTeamConflict)
	if _, err := c.CreateTeam(&models.CreateTeamCommand{Name: &name}); !errors.As(err, &taken) {
		return fmt.Errorf("create a team twice: %w", unexpected(err))
	}
	page, size := int64(1), int64(1000)
	found, err := c.SearchTeams(teams.NewSearchTeamsParams().WithPage(&page).WithPerpage(&size))
	if err != nil || len(found.Payload.Teams) != int(found.Payload.TotalCount) {
		return fmt.Errorf("search teams: %w", unexpected(err))
	}
	if _, err := c.AddTeamMember(uid, &models.AddTeamMemberCommand{UserID: &user}); err != nil {
		return fmt.Errorf("add a member: %w", err)
	}
	// The OpenAPI has no 400 here, but Grafana answers it.
	again := new(runtime.APIError)
	if _, err := c.AddTeamMember(uid, &models.AddTeamMemberCommand{UserID: &user}); !errors.As(err, &again) || !again.IsCode(400) {
		return fmt.Errorf("add a member twice: %w", unexpected(err))
	}
	members, err := c.GetTeamMembers(fmt.Sprint(made.Payload.TeamID))
	if err != nil || len(members.Payload) != 1 || members.Payload[0].UserID != user || members.Payload[0].TeamUID != uid {
		return fmt.Errorf("list the member: %w", unexpected(err))
	}
	if _, err := c.RemoveTeamMember(user, uid); err != nil {
		return fmt.Errorf("remove a member: %w", err)
	}
	gone := new(teams.RemoveTeamMemberNotFound)
	if _, err := c.RemoveTeamMember(user, uid); !errors.As(err, &gone) {
		return fmt.Errorf("remove a member twice: %w", unexpected(err))
	}
	absent := new(teams.GetTeamMembersNotFound)
	if _, err := c.GetTeamMembers("none"); !errors.As(err, &absent) {
		return fmt.Errorf("list the members of no team: %w", unexpected(err))
	}
	return nil
}

func unexpected(err error) error {
	if err == nil {
		return errors.New("it went through, or answered something else")
	}
	return err
}
