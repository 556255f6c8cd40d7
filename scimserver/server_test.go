package scimserver

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// start serves the handler on a free port. stop ends the server and returns what Start would.
func start(t *testing.T, s *Server) (address string, stop func() error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Log = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.serve(ctx, listener) }()
	return listener.Addr().String(), func() error {
		cancel()
		return <-ended
	}
}

func TestServerFinishesWhatIsUnderWay(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	address, stop := start(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		_, _ = io.WriteString(w, "done")
	})})
	answer := make(chan string, 1)
	go func() {
		response, err := http.Get("http://" + address)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer func() { _ = response.Body.Close() }()
		body, _ := io.ReadAll(response.Body)
		answer <- string(body)
	}()
	<-arrived
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	for {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			break // it takes no new connections
		}
		_ = connection.Close()
	}
	select {
	case err := <-ended:
		t.Fatalf("the server ended (%v) before the request did", err)
	default:
	}
	close(release)
	if got := <-answer; got != "done" {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

func TestServerSpeaksTLS(t *testing.T) {
	// httptest has a certificate for 127.0.0.1 and a pool that trusts it.
	donor := httptest.NewTLSServer(http.NotFoundHandler())
	defer donor.Close()
	certificate := donor.TLS.Certificates[0]
	pool := x509.NewCertPool()
	pool.AddCert(donor.Certificate())

	address, stop := start(t, &Server{
		Handler:        http.NotFoundHandler(),
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil },
	})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	response, err := client.Get("https://" + address)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	client.CloseIdleConnections()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", response.StatusCode)
	}
	if err := stop(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

func TestServerCannotListen(t *testing.T) {
	s := &Server{BindAddress: "127.0.0.1:no-such-port"}
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot listen") {
		t.Errorf("error %v", err)
	}
}

func TestPanicIsAnswered(t *testing.T) {
	log := &strings.Builder{}
	// Without a store the first step that needs one panics.
	h := New(nil, Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/scim/v2/Users", nil))
	id := w.Header().Get(requestIDHeader)
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), `"status":"500"`) || id == "" || !strings.Contains(w.Body.String(), id) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "handler.go") || !strings.Contains(log.String(), id) {
		t.Errorf("the log does not say where it happened: %s", log)
	}
	if strings.Contains(w.Body.String(), "goroutine") {
		t.Errorf("the stack is in the answer: %s", w.Body)
	}
}

func TestIncompleteBodyIsNoFaultOfTheServer(t *testing.T) {
	q := &request{Request: httptest.NewRequest(http.MethodPost, "/scim/v2/Users", io.MultiReader(
		strings.NewReader(`{"userName":`), brokenReader{}))}
	if _, err := q.object(); !errors.Is(err, errIncomplete) {
		t.Errorf("error %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// keepAsking posts over one connection, as a proxy does that repeats nothing, until it is told to leave or fails.
func keepAsking(address string) error {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	answers := bufio.NewReader(connection)
	for {
		if _, err := io.WriteString(connection, "POST / HTTP/1.1\r\nHost: scim.example.com\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
			return err
		}
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		if err := response.Body.Close(); err != nil || response.Close {
			return err
		}
	}
}

func TestServerCutsOffNobodyWhoKeepsAsking(t *testing.T) {
	const clients = 50
	asked := make(chan struct{}, clients)
	address, stop := start(t, &Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
	})})
	left := make(chan error, clients)
	for range clients {
		go func() { left <- keepAsking(address) }()
	}
	for range clients {
		<-asked
	}
	if err := stop(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	for range clients {
		if err := <-left; err != nil {
			t.Errorf("a request was cut off: %v", err)
		}
	}
}
