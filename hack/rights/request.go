package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// request is what the operator asked of an API server.
type request struct {
	user string
	// rights are those that it needed.
	rights []right
	// role is the one that allowed it, if one of the operator's did.
	role string
	// refusal is why it was refused, if a right was missing.
	refusal string
}

// event is what of an audit event is looked at.
type event struct {
	Verb, RequestURI string
	User             struct{ Username string }
	ImpersonatedUser *struct{ Username string }
	ObjectRef        *struct{ APIGroup, Resource, Subresource string }
	ResponseStatus   struct {
		Code    int
		Message string
	}
	Annotations map[string]string
}

// readRequests reads an audit file. The last line may be cut off, by the end of an API server that was killed.
func readRequests(path string) ([]request, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var requests []request
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return requests, nil
		} else if err != nil {
			return nil, err
		}
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		requests = append(requests, e.request())
	}
}

// allowedBy is how RBAC says which role it found.
var allowedBy = regexp.MustCompile(`^RBAC: allowed by .* of (?:Cluster)?Role "([^"]+)" to `)

func (e event) request() request {
	r := request{user: e.User.Username}
	if e.ImpersonatedUser != nil {
		// Whether the other may do it is no matter of the operator's rights.
		r.rights = []right{{impersonate, "", "serviceaccounts"}}
		return r
	}
	if found := allowedBy.FindStringSubmatch(e.Annotations["authorization.k8s.io/reason"]); found != nil {
		r.role = found[1]
	}
	message := e.ResponseStatus.Message
	// That it may act as nobody else is no mistake: an installation can leave that right out.
	optional := strings.Contains(message, " cannot impersonate")
	if e.ResponseStatus.Code == http.StatusForbidden && strings.Contains(message, " cannot ") && !optional {
		r.refusal = message
	}
	if o := e.ObjectRef; o != nil {
		r.rights = e.needed(right{e.Verb, o.APIGroup, strings.TrimSuffix(o.Resource+"/"+o.Subresource, "/")})
	}
	return r
}

// needed adds to the right that a request asks for by its verb those that it needs by what it is.
func (e event) needed(r right) []right {
	with := func(verb string) []right { return []right{r, {verb, r.group, r.resource}} }
	address, err := url.Parse(e.RequestURI)
	switch {
	case r.verb == "patch" && e.ResponseStatus.Code == http.StatusCreated:
		return with("create") // an apply, which makes what is not there
	case r.verb == "watch" && err == nil && address.Query().Get("sendInitialEvents") == "true":
		return with("list") // as an API server that is older is asked for the same
	}
	return []right{r}
}
