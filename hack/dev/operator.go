package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/scim-operator/scim-operator/hack/controlplane/lifeline"
)

const (
	drain    = 35 * time.Second // how long the operator may take to stop
	tailSize = 8 << 10          // how much of its log is shown when it fails
)

// operator is the running bin/scim-operator.
type operator struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// errEnded is why the context that startOperator returns ends, unless its parent did.
var errEnded = errors.New("the operator ended")

// startOperator runs bin/scim-operator. The context it returns ends with the operator.
func startOperator(ctx context.Context, s settings, kubeconfig string, a addresses) (context.Context, *operator, error) {
	if _, err := os.Stat(s.binary); err != nil {
		return nil, nil, fmt.Errorf("%w: run go build -o %s in the root of the repository", err, s.binary)
	}
	path, err := lifeline.Wrap(s.dir, s.binary, s.env)
	if err != nil {
		return nil, nil, err
	}
	o := &operator{log: filepath.Join(s.dir, "operator.log"), done: make(chan struct{})}
	log, err := os.Create(o.log)
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()

	o.cmd = exec.Command(path, append([]string{
		"--scim-bind-address=" + a.scim,
		"--external-url=" + a.externalURL(),
		"--metrics-bind-address=" + a.metrics,
		"--health-probe-bind-address=" + a.health,
	}, s.flags...)...)
	o.cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	o.cmd.Stdout, o.cmd.Stderr = log, log
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := o.cmd.Start(); err != nil {
		return nil, nil, err
	}

	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		defer close(o.done)
		if err := o.cmd.Wait(); err != nil {
			cancel(fmt.Errorf("%w: %w", errEnded, err))
		} else {
			cancel(errEnded)
		}
	}()
	return ctx, o, nil
}

// stop lets the operator finish its requests and waits for its end.
func (o *operator) stop() {
	o.signal(syscall.SIGTERM)
	select {
	case <-o.done:
	case <-time.After(drain):
		o.signal(syscall.SIGKILL)
		<-o.done
	}
}

// signal reaches the whole process group, so also what watches over it.
func (o *operator) signal(signal syscall.Signal) {
	_ = syscall.Kill(-o.cmd.Process.Pid, signal) // it fails when none is left
}

// explain adds the end of the operator's log to an error.
func (o *operator) explain(err error) error {
	log, _ := os.ReadFile(o.log) // without it there is less to say
	log = log[max(0, len(log)-tailSize):]
	return fmt.Errorf("%w\n%s\n(from %s)", err, bytes.TrimSpace(log), o.log)
}
