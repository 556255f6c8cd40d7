package scimserver_test

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// meddler stands between an identity provider and the server, and makes of good answers what a worse server would give.
type meddler struct {
	on          string // a regular expression of method, URL and body; other requests pass
	swallow     int    // answered with this status, and never seen by the server
	status      int    // in place of the answer's
	contentType string // in place of the answer's
	old, new    string // in the body of the answer
}

func (m meddler) client() *http.Client {
	return &http.Client{Transport: m}
}

// RoundTrip lets the server answer, and meddles.
func (m meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if !regexp.MustCompile(m.on).MatchString(r.Method + " " + r.URL.RequestURI() + " " + string(sent)) {
		r.Body = io.NopCloser(bytes.NewReader(sent))
		return http.DefaultTransport.RoundTrip(r)
	}
	if m.swallow != 0 {
		return &http.Response{StatusCode: m.swallow, Request: r, Header: http.Header{}, Body: http.NoBody}, nil
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if m.old != "" {
		body = []byte(strings.ReplaceAll(string(body), m.old, m.new))
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if m.status != 0 {
		response.StatusCode = m.status
	}
	if m.contentType != "" {
		response.Header.Set("Content-Type", m.contentType)
	}
	return response, nil
}
