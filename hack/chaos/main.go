package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

func main() {
	log.SetLogger(logr.Discard()) // what fails is returned as an error
	duration := flag.Duration("for", time.Minute, "how long faults happen while clients work")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "what decides about operations and faults; the rest is the machine's")
	binary := flag.String("binary", "bin/scim-operator", "the operator to torment")
	out := flag.String("out", "bin/chaos", "the folder for logs, and for a drawing of what is not linearizable")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *duration, *seed, *binary, *out); err != nil {
		fmt.Fprintf(os.Stderr, "chaos: %v\n(seed %d)\n", err, *seed)
		os.Exit(1)
	}
}

func run(ctx context.Context, duration time.Duration, seed uint64, binary, out string) (err error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	c, err := startCluster(ctx, binary, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()

	w, err := newWorkload(ctx, c)
	if err != nil {
		return err
	}
	tormented, calm := context.WithTimeout(ctx, duration)
	defer calm()
	random := func(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) } //nolint:gosec // to be repeated
	faults := make(chan error, 1)
	go func() { faults <- c.torment(tormented, random(0)) }()
	if err := w.work(tormented, random); err != nil {
		return err
	}
	if err := <-faults; err != nil {
		return err
	}
	if err := c.recover(ctx); err != nil {
		return err
	}
	if err := w.lookAtTheEnd(ctx); err != nil {
		return err
	}
	fmt.Println(c.summary())
	return w.verify(out)
}
