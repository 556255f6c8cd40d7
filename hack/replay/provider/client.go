package provider

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	responseTime = 60 * time.Second // what identity providers wait for an answer at most
	answerLimit  = 16 << 20         // a larger answer is refused, not read
)

// Where users and groups are, below the base URL (RFC 7644 §3.2).
const (
	Users  = "/Users"
	Groups = "/Groups"
)

// Client sends the requests of one identity provider to one SCIM server.
type Client struct {
	Name          string       // the identity provider's, as refusals call it
	BaseURL       string       // the SCIM base URL, with or without a slash at its end
	Token         string       // sent as a bearer token
	Authorization string       // what is sent in place of a bearer token; empty: nothing
	Header        http.Header  // what the provider says of itself; its Content-Type goes with bodies only
	Query         string       // what the provider adds to the query of every URL; empty: nothing
	HTTP          *http.Client // nil: a client that waits as long as providers do
}

var patient = &http.Client{Timeout: responseTime}

// Send makes one request, again when the server asks for patience. It returns
// a *Refusal when the server asks for it in a way that no provider reads, and
// another error when there was no answer.
func (c *Client) Send(ctx context.Context, method, path string, body any) (Answer, error) {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return Answer{}, fmt.Errorf("%s %s: encode the body: %w", method, path, err)
		}
	}
	path = c.withQuery(path)
	for tries := 1; ; tries++ {
		a, err := c.exchange(ctx, method, path, sent)
		if err != nil {
			return Answer{}, fmt.Errorf("%s %s: %w", method, path, err)
		}
		if !asksForPatience(a.status) {
			return a, nil
		}
		wait, err := patience(a, tries)
		if err != nil {
			return Answer{}, err
		}
		if err := sleep(ctx, wait); err != nil {
			return Answer{}, fmt.Errorf("%s %s: told to wait %s: %w", method, path, wait, err)
		}
	}
}

func (c *Client) withQuery(path string) string {
	switch {
	case c.Query == "":
		return path
	case strings.Contains(path, "?"):
		return path + "&" + c.Query
	default:
		return path + "?" + c.Query
	}
}

func (c *Client) exchange(ctx context.Context, method, path string, body []byte) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.BaseURL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	maps.Copy(request.Header, c.Header)
	request.Header.Set("Authorization", cmp.Or(c.Authorization, "Bearer "+c.Token))
	if body == nil {
		request.Header.Del("Content-Type")
	}

	client := c.HTTP
	if client == nil {
		client = patient
	}
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, answerLimit+1))
	if err != nil {
		return Answer{}, fmt.Errorf("read the answer: %w", err)
	}
	a := Answer{provider: c.Name, request: method + " " + path, status: response.StatusCode, header: response.Header, body: content}
	if len(content) > answerLimit {
		return Answer{}, a.Refuse(fmt.Sprintf("an answer of more than %d MiB", answerLimit>>20), "a smaller one")
	}
	return a, nil
}

// Read gets one resource by its id.
func (c *Client) Read(ctx context.Context, endpoint, id string) (Answer, Resource, error) {
	a, err := c.Send(ctx, http.MethodGet, At(endpoint, id), nil)
	if err != nil {
		return Answer{}, nil, err
	}
	r, err := a.About(id, http.StatusOK)
	return a, r, err
}

// Create posts a resource and returns it as the server made it.
func (c *Client) Create(ctx context.Context, endpoint string, body Resource) (Answer, Resource, error) {
	a, err := c.Send(ctx, http.MethodPost, endpoint, body)
	if err != nil {
		return Answer{}, nil, err
	}
	if err := a.Want(http.StatusCreated); err != nil {
		return Answer{}, nil, err
	}
	r, err := a.Resource()
	return a, r, err
}

// Delete takes a resource away.
func (c *Client) Delete(ctx context.Context, endpoint, id string) error {
	a, err := c.Send(ctx, http.MethodDelete, At(endpoint, id), nil)
	if err != nil {
		return err
	}
	return a.Want(http.StatusNoContent)
}

// Find asks for the resources of a path that ends in a lookup, and returns the
// one whose attribute has the value; nil if there is none. count is how many
// the path asks for.
func (c *Client) Find(ctx context.Context, path string, count int, attribute, value string) (Resource, error) {
	a, err := c.Send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return a.sole(count, attribute, value)
}

// Put replaces a resource by this one, with its id, and returns it as the
// server shows it.
func (c *Client) Put(ctx context.Context, endpoint string, r Resource) (Answer, Resource, error) {
	a, err := c.Send(ctx, http.MethodPut, At(endpoint, r.ID()), r)
	if err != nil {
		return Answer{}, nil, err
	}
	replaced, err := a.About(r.ID(), http.StatusOK)
	return a, replaced, err
}

// Patch changes a resource and returns it as the server shows it, or nil where
// it answers 204.
func (c *Client) Patch(ctx context.Context, endpoint, id string, operations ...Operation) (Answer, Resource, error) {
	a, err := c.Send(ctx, http.MethodPatch, At(endpoint, id), Patch(operations...))
	if err != nil {
		return Answer{}, nil, err
	}
	r, err := a.About(id, http.StatusOK, http.StatusNoContent)
	return a, r, err
}

// At is the path of one resource.
func At(endpoint, id string) string { return endpoint + "/" + url.PathEscape(id) }
