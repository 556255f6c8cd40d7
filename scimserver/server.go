package scimserver

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/scim-operator/scim-operator/scimserver/store"
)

const (
	maxHeaderBytes = 64 << 10

	// drainTimeout is how long clients may use their connections, and requests under way go on, after the end was announced.
	drainTimeout = 20 * time.Second
)

// patience is how long a client may take: to send the header, and the whole request, to take the answer, and until it asks
// again. Slower ones are cut off.
type patience struct{ header, request, answer, idle time.Duration }

var usualPatience = patience{header: 10 * time.Second, request: 30 * time.Second, answer: 60 * time.Second, idle: 2 * time.Minute}

// Server listens for HTTP until its context ends, on every replica: a controller-runtime Runnable.
type Server struct {
	// BindAddress is where to listen, such as :8080.
	BindAddress string
	// Handler answers the requests.
	Handler http.Handler
	// Store is what the handler works on. It is kept current until the last request is answered.
	Store *store.Store
	// GetCertificate returns the certificate for TLS; nil for plain HTTP.
	GetCertificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Log takes the start, the end, and what net/http has to say.
	Log *slog.Logger

	// patience is the usual one if it is nil.
	patience *patience
}

// Start serves until ctx is done, then has its clients leave, takes no new connections and lets the requests under way finish.
// It returns an error when it cannot listen, or when requests had to be cut off at the end.
func (s *Server) Start(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.BindAddress)
	if err != nil {
		return fmt.Errorf("the SCIM server cannot listen: %w", err)
	}
	// A write under way waits for the store to show it, so the store outlives the requests.
	storeCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	stored := make(chan error, 1)
	go func() { stored <- s.Store.Start(storeCtx) }()
	err = s.serve(ctx, listener)
	stop()
	return errors.Join(err, <-stored)
}

func (s *Server) serve(ctx context.Context, listener net.Listener) error {
	patience := cmp.Or(s.patience, &usualPatience)
	farewell := &farewell{silentSince: map[net.Conn]time.Time{}}
	server := &http.Server{
		Handler:           farewell.around(s.Handler),
		ConnState:         farewell.observe,
		ReadHeaderTimeout: patience.header,
		ReadTimeout:       patience.request,
		WriteTimeout:      patience.answer,
		IdleTimeout:       patience.idle,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() {
		if s.GetCertificate == nil {
			ended <- server.Serve(listener)
			return
		}
		server.TLSConfig = &tls.Config{GetCertificate: s.GetCertificate, MinVersion: tls.VersionTLS12}
		ended <- server.ServeTLS(listener, "", "")
	}()
	s.Log.Info("SCIM server listens", "address", listener.Addr().String(), "tls", s.GetCertificate != nil)
	select {
	case err := <-ended:
		return fmt.Errorf("the SCIM server ended: %w", err)
	case <-ctx.Done():
	}
	return s.drain(server, farewell)
}

func (s *Server) drain(server *http.Server, farewell *farewell) error {
	s.Log.Info("SCIM server drains")
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	farewell.say(ctx)
	if err := server.Shutdown(ctx); err != nil {
		return fmt.Errorf("the SCIM server cut off requests that took too long: %w", errors.Join(err, server.Close()))
	}
	return nil
}
