package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/scim-operator/scim-operator/hack/controlplane/lifeline"
)

// bareServer is the argument with which this program is nothing but an HTTP server, in a process of its own, that gives
// every request the same answer from memory: the most that HTTP allows for.
const bareServer = "bare-server"

// serveBare reads the answer from its input, and tells on its output where it listens.
func serveBare() error {
	answer, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Println(listener.Addr()); err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json;charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer) // a client that is gone needs no answer
	})}
	return server.Serve(listener)
}

// startBareServer starts this program again as a bare server. What it returns is asked, and stopped, as the operator is.
func (s *stage) startBareServer(answer []byte) (*operator, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	path, err := lifeline.Wrap(s.dir, self)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, bareServer)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdin, cmd.Stderr = bytes.NewReader(answer), os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	o := &operator{cmd: cmd, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}}}
	if _, err := fmt.Fscanln(stdout, &o.scim); err != nil {
		o.stop()
		return nil, fmt.Errorf("the bare server does not tell where it listens: %w", err)
	}
	return o, nil
}
