// Command dev runs the operator on this machine: a control plane of its own (or the cluster that KUBECONFIG
// names), the CRDs, a sample directory, and bin/scim-operator. It ends all of it when it is interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/scim-operator/scim-operator/hack/controlplane/filelock"
)

// takeOver is how long a predecessor that is just ending may still hold the folder and the address.
const takeOver = 3 * time.Second

func main() {
	log.SetLogger(logr.Discard()) // what fails is returned as an error
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends this process at once, and the servers with it
	ctx = endWithParent(ctx)

	s, err := readSettings()
	if err == nil {
		err = run(ctx, s, os.Stdout)
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "make run:", err)
		os.Exit(1)
	}
}

// run returns when ctx ends, or with an error when anything else does.
func run(ctx context.Context, s settings, out io.Writer) error {
	release, err := claim(ctx, s.dir)
	if err != nil {
		return err
	}
	defer release()
	if err := os.Remove(s.env); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	addresses, err := findAddresses(ctx, s.address)
	if err != nil {
		return err
	}

	cluster, err := openCluster(ctx, s, out)
	if err != nil {
		return err
	}
	defer cluster.stop()
	if err := cluster.prepare(ctx, s.root); err != nil {
		return err
	}
	if cluster.plane != nil { // whoever makes AppTargets there can call this machine anyway
		s.flags = append([]string{"--target-networks=127.0.0.0/8"}, s.flags...)
	}
	ctx, operator, err := startOperator(ctx, s, cluster.operatorKubeconfig, addresses)
	if err != nil {
		return err
	}
	defer operator.stop()
	endpoint, err := waitUntilServing(ctx, cluster.config, addresses)
	if err != nil {
		return operator.explain(err)
	}

	if err := writeEnv(s.env, endpoint, cluster.kubeconfig, addresses.metricsURL()); err != nil {
		return err
	}
	defer os.Remove(s.env)
	welcome(out, s, endpoint, cluster)
	<-ctx.Done()
	return operator.explain(context.Cause(ctx))
}

// claim makes this the only process that uses dir.
func claim(ctx context.Context, dir string) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, takeOver)
	defer cancel()
	release, err = filelock.Acquire(ctx, filepath.Join(dir, "lock"), func() {})
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("%s is in use by another make run: stop that one first", dir)
	}
	return release, err
}

// endWithParent ends the context when the process that started this one, go run or make, is gone: killed,
// it could not hand the signal on.
func endWithParent(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	go func() {
		for range time.Tick(500 * time.Millisecond) {
			if os.Getppid() != parent {
				cancel()
				return
			}
		}
	}()
	return ctx
}
