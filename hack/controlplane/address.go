package controlplane

import (
	"context"
	"net"
)

// FreeAddress returns an address of this machine, for a server that is about to be started, at which nobody listens. It
// returns an error when there is none.
func FreeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
