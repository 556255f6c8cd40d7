package console

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// NewServer returns what serves the console on every replica, as a part of a manager. It returns an error when it cannot listen.
func NewServer(ctx context.Context, address string, handler http.Handler, log *slog.Logger) (manager.Runnable, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("the console cannot listen: %w", err)
	}
	return &manager.Server{
		Name:     "console",
		Listener: listener,
		Server: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 10 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      pageTimeout + 10*time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    32 << 10,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
		ShutdownTimeout: ptr.To(5 * time.Second),
	}, nil
}
