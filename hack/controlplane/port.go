package controlplane

import (
	"net"
	"os"
	"strings"
)

// portFile remembers the port of the last start.
type portFile string

// free returns the remembered port if nobody listens on it, else "", which means any.
func (f portFile) free() string {
	content, err := os.ReadFile(string(f))
	if err != nil {
		return ""
	}
	port := strings.TrimSpace(string(content))
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil || listener.Close() != nil {
		return ""
	}
	return port
}

func (f portFile) remember(port string) error {
	return os.WriteFile(string(f), []byte(port+"\n"), 0o600)
}
