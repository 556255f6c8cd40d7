package targets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// maxAnswer is how many bytes of an answer are read.
const maxAnswer = 8 << 20

// API is an HTTP API that speaks JSON.
type API struct {
	// Base is its address, without a trailing slash.
	Base string
	// Token is sent as a bearer token, unless it is empty.
	Token  string
	Client *http.Client
}

// StatusError is an answer with a status of 300 or more.
type StatusError struct {
	Status int
	// Body is the beginning of the answer.
	Body []byte
}

// Error names the status alone: the body may hold names of people, and differ from one try to the next.
func (e *StatusError) Error() string {
	return fmt.Sprintf("answered %d %s", e.Status, http.StatusText(e.Status))
}

// Call makes a call and reads the answer's JSON into out, which may be nil, as may in. It returns a *StatusError for an
// answer that says no, an Invalid for an address that may not be reached, and other errors when there is no proper answer.
func (a API) Call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		content, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(content)
	}
	request, err := http.NewRequestWithContext(ctx, method, a.Base+path, body)
	if err != nil {
		return Invalidate("url: %v", err)
	}
	request.Header.Set("Accept", "application/json")
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if a.Token != "" {
		request.Header.Set("Authorization", "Bearer "+a.Token)
	}
	_, content, err := Do(a.Client, request)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(content, out); err != nil {
		return fmt.Errorf("%s: the answer is not the JSON that was expected", a.Base)
	}
	return nil
}

// Do sends a request and reads the answer. Errors are as in Call.
func Do(c *http.Client, request *http.Request) (http.Header, []byte, error) {
	address := (&url.URL{Scheme: request.URL.Scheme, Host: request.URL.Host}).String()
	request, span := beginCall(request)
	response, err := c.Do(request) //nolint:gosec // the address is what the target is for; Egress checks where it leads
	endCall(span, response)
	if err != nil {
		if e := new(url.Error); errors.As(err, &e) {
			err = e.Err
		}
		return nil, nil, explain(address, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, nil, explain(address, err)
	case response.StatusCode >= http.StatusMultipleChoices:
		return response.Header, nil, &StatusError{response.StatusCode, content[:min(len(content), 4<<10)]}
	case len(content) > maxAnswer:
		return nil, nil, fmt.Errorf("%s: the answer has more than %d MiB", address, maxAnswer>>20)
	}
	return response.Header, content, nil
}

// Token reads the bearer token of a Secret. It returns an Invalid when there is none.
func Token(ctx context.Context, env Environment, name string) (token string, bundle []byte, err error) {
	secret, err := env.Secret(ctx, name)
	if err != nil {
		return "", nil, err
	}
	token = strings.TrimSpace(string(secret[v1alpha1.TargetSecretTokenKey]))
	if token == "" || strings.ContainsAny(token, "\r\n") {
		return "", nil, Invalidate("Secret %q has no key token with one line of text", name)
	}
	return token, secret[v1alpha1.TargetSecretCAKey], nil
}
