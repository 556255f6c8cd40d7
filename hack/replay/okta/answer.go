package okta

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

const excerpt = 200 // bytes of an unexpected body that a message shows

// answer is what the server said to one request.
type answer struct {
	request string
	status  int
	header  http.Header
	body    []byte
}

func (a answer) refuse(got, need string) *Refusal {
	return &Refusal{Request: a.request, Answer: got, Need: need}
}

// summary is the status with the server's own explanation, if it gave one.
func (a answer) summary() string {
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

// want refuses any other status than those given.
func (a answer) want(statuses ...int) error {
	if slices.Contains(statuses, a.status) {
		return nil
	}
	var need []string
	for _, status := range statuses {
		need = append(need, fmt.Sprintf("%d %s", status, http.StatusText(status)))
	}
	return a.refuse(a.summary(), strings.Join(need, " or "))
}

// object reads the body as one JSON object.
func (a answer) object() (Resource, error) {
	if len(bytes.TrimSpace(a.body)) == 0 {
		return nil, a.refuse(fmt.Sprintf("%d with an empty body", a.status), "the resource in the body")
	}
	contentType := a.header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || media != "application/scim+json" && media != "application/json" {
		return nil, a.refuse("of Content-Type "+strconv.Quote(contentType), "application/scim+json")
	}
	object, err := decode(a.body)
	if err != nil {
		return nil, a.refuse(fmt.Sprintf("no JSON object (%v)", err), "a JSON object")
	}
	return object, nil
}

// decode keeps numbers as they were written, so that a PUT sends them back so.
func decode(body []byte) (Resource, error) {
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

// resource reads the body as a SCIM resource: an object with an id, and
// without a password (RFC 7643 §4.1.1: never returned).
func (a answer) resource() (Resource, error) {
	object, err := a.object()
	if err != nil {
		return nil, err
	}
	return object, a.checkResource(object)
}

func (a answer) checkResource(r Resource) error {
	if r.ID() == "" {
		return a.refuse(fmt.Sprintf("a resource whose id is %s", text(r["id"])), "an id that is a non-empty string")
	}
	if _, echoed := r["password"]; echoed {
		return a.refuse("a resource with a password", "one without: a password is never returned")
	}
	return nil
}

// about accepts the resource id under one of the statuses. A 204, if that is
// among them, says nothing and gives nil.
func (a answer) about(id string, statuses ...int) (Resource, error) {
	if err := a.want(statuses...); err != nil || a.status == http.StatusNoContent {
		return nil, err
	}
	r, err := a.resource()
	if err != nil {
		return nil, err
	}
	if r.ID() != id {
		return nil, a.refuse("the resource "+r.ID(), "the resource "+id+" that it named")
	}
	return r, nil
}
