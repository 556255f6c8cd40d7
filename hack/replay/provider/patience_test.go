package provider

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// busy answers 429 and 503 in turn until it is asked often enough.
type busy struct {
	refusals   int
	retryAfter string
	asked      int
}

func (b *busy) RoundTrip(r *http.Request) (*http.Response, error) {
	response := &http.Response{
		StatusCode: http.StatusOK, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(`{"schemas":["` + ListSchema + `"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`)),
	}
	if b.asked++; b.asked <= b.refusals {
		response.StatusCode = []int{http.StatusTooManyRequests, http.StatusServiceUnavailable}[b.asked%2]
		response.Header.Set("Retry-After", b.retryAfter)
	}
	return response, nil
}

func TestRetryAfterIsHonored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &busy{refusals: 9, retryAfter: "7"}
		client := &Client{BaseURL: "http://scim.example.com", HTTP: &http.Client{Transport: b}}
		start := time.Now()
		if _, err := client.Send(t.Context(), http.MethodGet, "/Users", nil); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(start); waited != 63*time.Second {
			t.Errorf("waited %s, want nine times seven seconds", waited)
		}
		if b.asked != 10 {
			t.Errorf("asked %d times, want 10", b.asked)
		}
	})
}

func TestWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		client := &Client{BaseURL: "http://scim.example.com", HTTP: &http.Client{Transport: &busy{refusals: 1, retryAfter: "3600"}}}
		_, err := client.Send(ctx, http.MethodGet, "/Users", nil)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "told to wait 1h0m0s") {
			t.Errorf("got %v, want the deadline", err)
		}
	})
}
