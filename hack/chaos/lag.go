package main

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"

	"k8s.io/client-go/rest"
)

// news stands between one replica and the API server, so that what the replica watches can be held up while its requests
// are answered: as by an API server, of several, whose own view is behind.
type news struct {
	url    string
	server *http.Server

	mu   sync.Mutex
	held chan struct{} // closed when nothing is held up
}

// listenForNews passes on what a replica asks, as who the configuration says.
func listenForNews(config *rest.Config) (*news, error) {
	target, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &news{url: "http://" + listener.Addr().String(), held: make(chan struct{})}
	close(n.held)
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			if r.Request.URL.Query().Get("watch") == "true" {
				r.Body = late{r.Body, n}
			}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0), // that the API server went away is no news here
		// What the API server does not answer is not answered here either.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	n.server = &http.Server{Handler: proxy} //nolint:gosec // only our own replicas call
	go func() { _ = n.server.Serve(listener) }()
	return n, nil
}

// kubeconfig is how a replica reaches the API server by way of this.
func (n *news) kubeconfig() []byte {
	return bytes.ReplaceAll([]byte(`apiVersion: v1
kind: Config
clusters: [{name: chaos, cluster: {server: "URL"}}]
contexts: [{name: chaos, context: {cluster: chaos, user: chaos}}]
users: [{name: chaos, user: {}}]
current-context: chaos
`), []byte("URL"), []byte(n.url))
}

// hold holds up what is watched until release is called.
func (n *news) hold() (release func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	held := make(chan struct{})
	n.held = held
	return func() { close(held) }
}

func (n *news) arrive() {
	n.mu.Lock()
	held := n.held
	n.mu.Unlock()
	<-held
}

// late is what a watch answers, read as it arrives.
type late struct {
	io.ReadCloser
	news *news
}

func (l late) Read(p []byte) (int, error) {
	read, err := l.ReadCloser.Read(p)
	l.news.arrive()
	return read, err
}
