// Command demo shows how an OpenFGA store follows an identity provider: it runs a real OpenFGA server, has the operator that
// `make run` serves keep a store of it, asks OpenFGA who may do what, and deactivates somebody as an identity provider does.
// It undoes all of it at the end, which comes by itself, or when it is interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/scim-operator/scim-operator/hack/openfga"
)

// patience is how long any one step may take on a busy machine, and the end after an interrupt.
const patience = 2 * time.Minute

func main() {
	log.SetLogger(logr.Discard()) // what fails is returned as an error
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "demo-openfga:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	server, err := openfga.Start(ctx, openfga.Options{Progress: os.Stdout})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	store, err := newStore(ctx, server)
	if err != nil {
		return err
	}
	fmt.Printf("\nOpenFGA %s\nStore   %s\n\n", server.URL, store.id)

	operator, err := connect()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, operator.removeTarget()) }()
	if err := operator.makeTarget(ctx, server.URL, store.id); err != nil {
		return err
	}
	if err := show(ctx, operator, store); err != nil {
		return err
	}
	return stay(ctx)
}

// show is the demonstration itself.
func show(ctx context.Context, operator *operator, store *store) error {
	fmt.Println("$ kubectl get apptargets -n " + namespace)
	kubectl := exec.CommandContext(ctx, os.Getenv("KUBECTL"), "get", "apptargets", "-n", namespace) //nolint:gosec // the script that runs this names it
	kubectl.Stdout, kubectl.Stderr = os.Stdout, os.Stderr
	if err := kubectl.Run(); err != nil {
		return err
	}
	people, err := operator.activePeople(ctx)
	if err != nil {
		return err
	}
	fmt.Println("\nWho may do what, as OpenFGA answers:")
	if err := store.print(ctx, people); err != nil {
		return err
	}

	leaver := people[0]
	fmt.Printf("\nThe identity provider deactivates %s …\n", leaver)
	took, err := operator.switchUser(ctx, leaver, false, store)
	if err != nil {
		return err
	}
	fmt.Printf("… and OpenFGA says no %.2f seconds later:\n", took.Seconds())
	if err := store.print(ctx, people[:1]); err != nil {
		return err
	}
	took, err = operator.switchUser(ctx, leaver, true, store)
	if err != nil {
		return err
	}
	fmt.Printf("\nActivated again, and OpenFGA says yes %.2f seconds later.\n", took.Seconds())
	return nil
}

// stay leaves all as it is for DEMO_SECONDS, so that its user can look around.
func stay(ctx context.Context) error {
	text := os.Getenv("DEMO_SECONDS")
	if text == "" {
		return nil
	}
	seconds, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("DEMO_SECONDS=%s is not a number of seconds", text)
	}
	fmt.Printf("\nThis stays for %d seconds; interrupt (Ctrl-C) to end it now.\n", seconds)
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(seconds) * time.Second):
	}
	return nil
}

// until repeats a question until the answer is yes. When that takes too long, or ctx ends, the error says what for.
func until(ctx context.Context, what string, answer func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		yes, err := answer(ctx)
		if yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		case <-tick.C:
		}
	}
}
