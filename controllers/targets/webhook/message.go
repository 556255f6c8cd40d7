package webhook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// message is the body of a call. Fields are written in this order, so that the same message is the same bytes.
type message struct {
	Type string `json:"type"`
	// Timestamp is when the change was seen.
	Timestamp string `json:"timestamp"`
	Data      any    `json:"data"`
}

// change is what an event tells.
type change struct {
	// Sequence is the number of the event among those of the directory.
	Sequence  int64       `json:"sequence"`
	Directory string      `json:"directory"`
	Namespace string      `json:"namespace"`
	Target    string      `json:"target"`
	Person    *personData `json:"person,omitempty"`
	Role      *roleData   `json:"role,omitempty"`
}

// personData is a person after the event; of somebody who is removed nothing is kept that the identity provider sent.
type personData struct {
	ID string `json:"id"`
	// Directory is told where there is more than one person.
	Directory   *string  `json:"directory,omitempty"`
	UserName    string   `json:"userName,omitempty"`
	Email       string   `json:"email,omitempty"`
	DisplayName string   `json:"displayName,omitempty"`
	ExternalID  string   `json:"externalId,omitempty"`
	Active      bool     `json:"active"`
	Roles       []string `json:"roles"`
}

type roleData struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"`
}

// call is a message with the id by which a receiver knows it when it is sent again.
type call struct {
	id      string
	message message
}

// idOf makes an id of what it stands for.
func (s *system) idOf(parts ...string) string {
	h := sha256.New()
	for _, part := range append([]string{string(s.target.UID)}, parts...) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return "msg_" + hex.EncodeToString(h.Sum(nil)[:16])
}

// callFor is an event as it is told: a function of what is on record, so that it is the same whenever it is told again.
func (s *system) callFor(subject string, e event, number int64, p *v1alpha1.LedgerPending) call {
	c := change{Sequence: number, Directory: p.Directory, Namespace: s.target.Namespace, Target: s.target.Name}
	if name, is := strings.CutPrefix(subject, roleSubjectPrefix); is {
		c.Role = &roleData{Name: name, DisplayName: e.after.title}
	} else {
		c.Person = &personData{ID: subject, Active: e.after.active, Roles: append([]string{}, e.after.roles...)}
		if u := p.User; u != nil {
			c.Person.UserName, c.Person.Email = u.UserName, u.Email
			c.Person.DisplayName, c.Person.ExternalID = u.DisplayName, u.ExternalID
		}
		if e.role != "" {
			c.Role = &roleData{Name: e.role, DisplayName: s.titleOnRecord(e.role)}
		}
	}
	return call{
		id:      s.idOf("event", p.Directory, strconv.FormatInt(number, 10)),
		message: message{Type: e.kind, Timestamp: p.Time.UTC().Format(time.RFC3339), Data: c},
	}
}

// titleOnRecord is what the receiver is told that a role is called. It does not change while anything is pending that names
// the role: a plan has titles last.
func (s *system) titleOnRecord(role string) string {
	e := s.ledger.Entry(roleSubject(role))
	if e.Pending != nil {
		return knownOf(e.Pending.Grants).title
	}
	return knownOf(e.Grants).title
}

// post makes a call. It returns a Refused when the receiver refuses this message, an Invalid when it is not where the
// AppTarget says, and another error when it is down.
func (s *system) post(ctx context.Context, c call) error {
	body, err := json.Marshal(c.message)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.target.Spec.Webhook.URL, bytes.NewReader(body))
	if err != nil {
		return targets.Invalidate("webhook.url is no address: write one such as https://hooks.example.com/scim")
	}
	now := s.clock.Now()
	signatures := make([]string, 0, len(s.signers))
	for _, signer := range s.signers {
		signature, err := signer.Sign(c.id, now, body)
		if err != nil {
			return err
		}
		signatures = append(signatures, signature)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "scim-operator")
	request.Header.Set(standardwebhooks.HeaderWebhookID, c.id)
	request.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	request.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	_, _, err = targets.Do(s.client, request)
	return judge(request.URL, c.message.Type, err)
}

// judge says what an answer means.
func judge(address *url.URL, kind string, err error) error {
	status, is := errors.AsType[*targets.StatusError](err)
	if !is {
		return err
	}
	host := (&url.URL{Scheme: address.Scheme, Host: address.Host}).String()
	switch code := status.Status; {
	case code == http.StatusGone:
		return targets.Invalidate("%s answers 410 Gone: the receiver wants no more events; delete the AppTarget with "+
			"deletionPolicy: Orphan, or correct webhook.url", host)
	case code < http.StatusBadRequest:
		return targets.Invalidate("%s %s: redirects are not followed; let webhook.url be the address where it ends", host, status)
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= http.StatusInternalServerError:
		return fmt.Errorf("%s %w", host, status)
	default:
		return targets.Refuse("%s %s to an event of type %s: the receiver has to accept it; what else there is to be told of the "+
			"same person or role waits for it", host, status, kind)
	}
}
