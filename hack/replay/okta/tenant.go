package okta

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	responseTime = 60 * time.Second // Okta waits no longer for an answer
	answerLimit  = 16 << 20         // a larger answer is refused, not read
)

// Tenant is one Okta tenant with one app. Its methods are Okta's provisioning
// actions; each returns a *Refusal when the server answers what Okta does not
// accept, and another error when there was no answer.
type Tenant struct {
	BaseURL string       // the SCIM base URL, with or without a slash at its end
	Token   string       // sent as a bearer token
	App     App          // how this tenant writes
	HTTP    *http.Client // nil: a client that waits as long as Okta does
}

var patient = &http.Client{Timeout: responseTime}

// send makes one request, again when the server asks for patience.
func (t *Tenant) send(ctx context.Context, method, path string, body any) (answer, error) {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return answer{}, fmt.Errorf("%s %s: encode the body: %w", method, path, err)
		}
	}
	for tries := 1; ; tries++ {
		a, err := t.exchange(ctx, method, path, sent)
		if err != nil {
			return answer{}, fmt.Errorf("%s %s: %w", method, path, err)
		}
		if !asksForPatience(a.status) {
			return a, nil
		}
		wait, err := patience(a, tries)
		if err != nil {
			return answer{}, err
		}
		if err := sleep(ctx, wait); err != nil {
			return answer{}, fmt.Errorf("%s %s: told to wait %s: %w", method, path, wait, err)
		}
	}
}

func (t *Tenant) exchange(ctx context.Context, method, path string, body []byte) (answer, error) {
	url := strings.TrimSuffix(t.BaseURL, "/") + path
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+t.Token)
	request.Header.Set("Accept", "application/scim+json")
	request.Header.Set("Accept-Charset", "utf-8")
	request.Header.Set("User-Agent", "Okta SCIM Client 1.0.0")
	if body != nil {
		request.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	}

	client := t.HTTP
	if client == nil {
		client = patient
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, answerLimit+1))
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	a := answer{request: method + " " + path, status: response.StatusCode, header: response.Header, body: content}
	if len(content) > answerLimit {
		return answer{}, a.refuse(fmt.Sprintf("an answer of more than %d MiB", answerLimit>>20), "a smaller one")
	}
	return a, nil
}
