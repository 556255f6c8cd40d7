package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const errorSchema = "urn:ietf:params:scim:api:messages:2.0:Error"

const excerpt = 200 // bytes of an unexpected body that a message shows

// Answer is what the server said to one request.
type Answer struct {
	provider string
	request  string
	status   int
	header   http.Header
	body     []byte
}

// Refuse says what came and what the provider needs instead.
func (a Answer) Refuse(got, need string) *Refusal {
	return &Refusal{Provider: a.provider, Request: a.request, Answer: got, Need: need}
}

// summary is the status with the server's own explanation, if it gave one.
func (a Answer) summary() string {
	status := fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))
	if len(a.body) == 0 {
		return status
	}
	var scim struct {
		ScimType string `json:"scimType"`
		Detail   string `json:"detail"`
	}
	if json.Unmarshal(a.body, &scim) == nil && scim.Detail != "" {
		return fmt.Sprintf("%s (%s)", status, strings.TrimPrefix(scim.ScimType+": "+scim.Detail, ": "))
	}
	if len(a.body) > excerpt {
		return fmt.Sprintf("%s with the body %q…", status, a.body[:excerpt])
	}
	return fmt.Sprintf("%s with the body %q", status, a.body)
}

// Want refuses any other status than those given.
func (a Answer) Want(statuses ...int) error {
	if slices.Contains(statuses, a.status) {
		return nil
	}
	var need []string
	for _, status := range statuses {
		need = append(need, fmt.Sprintf("%d %s", status, http.StatusText(status)))
	}
	return a.Refuse(a.summary(), strings.Join(need, " or "))
}

// Failed refuses anything but a SCIM error of this status and scimType (RFC
// 7644 §3.12).
func (a Answer) Failed(status int, scimType string) error {
	if err := a.Want(status); err != nil {
		return err
	}
	object, err := a.Object()
	if err != nil {
		return err
	}
	want := Resource{"schemas": []any{errorSchema}, "status": strconv.Itoa(status), "scimType": scimType}
	if name, wanted, found := difference(map[string]any(want), map[string]any(object), ""); name != "" {
		return a.Refuse("an error whose "+name+" is "+Text(found), Text(wanted))
	}
	return nil
}

// OfType refuses a body of another media type.
func (a Answer) OfType(mediaType string) error {
	contentType := a.header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != mediaType {
		return a.Refuse("of Content-Type "+strconv.Quote(contentType), mediaType)
	}
	return nil
}

// Object reads the body as one JSON object.
func (a Answer) Object() (Resource, error) {
	if len(bytes.TrimSpace(a.body)) == 0 {
		return nil, a.Refuse(fmt.Sprintf("%d with an empty body", a.status), "the resource in the body")
	}
	contentType := a.header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || media != "application/scim+json" && media != "application/json" {
		return nil, a.Refuse("of Content-Type "+strconv.Quote(contentType), "application/scim+json")
	}
	object, err := Decode(a.body)
	if err != nil {
		return nil, a.Refuse(fmt.Sprintf("no JSON object (%v)", err), "a JSON object")
	}
	return object, nil
}

// Decode reads one JSON object. It keeps numbers as they were written, so that
// a PUT sends them back so.
func Decode(body []byte) (Resource, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var object Resource
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	if object == nil {
		return nil, errors.New("null")
	}
	return object, nil
}

// Resource reads the body as a SCIM resource: an object with an id, and
// without a password (RFC 7643 §4.1.1: never returned).
func (a Answer) Resource() (Resource, error) {
	object, err := a.Object()
	if err != nil {
		return nil, err
	}
	return object, a.checkResource(object)
}

func (a Answer) checkResource(r Resource) error {
	if r.ID() == "" {
		return a.Refuse(fmt.Sprintf("a resource whose id is %s", Text(r["id"])), "an id that is a non-empty string")
	}
	if _, echoed := r["password"]; echoed {
		return a.Refuse("a resource with a password", "one without: a password is never returned")
	}
	return nil
}

// About accepts the resource id under one of the statuses. A 204, if that is
// among them, says nothing and gives nil.
func (a Answer) About(id string, statuses ...int) (Resource, error) {
	if err := a.Want(statuses...); err != nil || a.status == http.StatusNoContent {
		return nil, err
	}
	r, err := a.Resource()
	if err != nil {
		return nil, err
	}
	if r.ID() != id {
		return nil, a.Refuse("the resource "+r.ID(), "the resource "+id+" that it named")
	}
	return r, nil
}
