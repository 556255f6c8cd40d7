// Command bench measures the operator beside a bare client on the same control plane, in one run, and writes what it found
// as ratios. Absolute figures of a shared machine prove nothing; each figure here is compared with another that was taken
// in turns with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// plan is how much is measured.
type plan struct {
	// users is how many people the large directory has, members how many the large group.
	users, members int
	// rounds is how often each side of a comparison takes its turn.
	rounds int
	// writes is how many objects one turn creates, reads for how long one turn reads.
	writes int
	reads  time.Duration
	// pushed is how many members the group has that the controllers turn into roles, pushes how often one is pushed.
	pushed, pushes int
	// sizes are those of the directories, and of their groups, at which costs are plotted.
	sizes []int
	// carried is how many people a target carries.
	carried int
}

var (
	full = plan{users: 100_000, members: 100_000, rounds: 5, writes: 2000, reads: 3 * time.Second, pushed: 10_000, pushes: 1, carried: 10_000,
		sizes: []int{100, 1_000, 10_000, 100_000}}
	quick = plan{users: 3_000, members: 3_000, rounds: 3, writes: 150, reads: 300 * time.Millisecond, pushed: 150, pushes: 3, carried: 1_000,
		sizes: []int{100, 500, 2_000}}
)

func main() {
	log.SetLogger(logr.Discard()) // what fails is returned as an error
	if len(os.Args) == 2 {
		if bare := map[string]func() error{
			bareInformer: syncBareInformer, bareServer: serveBare, bareCreator: serveCreations,
			bareVerifier: serveVerifiedCreations,
		}[os.Args[1]]; bare != nil {
			exitOn(bare())
			return
		}
	}
	short := flag.Bool("quick", false, "measure less, in about two minutes")
	out := flag.String("out", "bin/bench", "the folder for results.md, results.json and the plots")
	binary := flag.String("binary", "bin/scim-operator", "the operator to measure")
	only := flag.String("only", ".", "measure what matches this regular expression: creates, controllers, targets, fill, reads, import, groups, growth, memory, start, resync, sizes")
	docs := flag.String("docs", "", "also put the table and the plots into performance.md of this folder")
	flag.Parse()
	selected, err := regexp.Compile(*only)
	if err != nil {
		exitOn(fmt.Errorf("-only: %w", err))
	}
	p := full
	if *short {
		p = quick
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := run(ctx, p, selected, *binary)
	exitOn(err)
	exitOn(r.write(*out))
	if *docs != "" {
		exitOn(r.publish(*docs))
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, p plan, only *regexp.Regexp, binary string) (r *report, err error) {
	s, err := setTheStage(ctx, binary)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.clear()) }()
	r = &report{Users: p.users, Members: p.members, Rounds: p.rounds}
	for _, step := range []struct {
		name    string
		measure func(context.Context, plan, *stage, *report) error
	}{
		{"creates", measureCreates},
		{"controllers", measureControllers},
		{"targets", measureTargets},
		{"fill", fill}, // what the following are measured with
		{"reads", measureReads},
		{"import", measureImport},
		{"groups", measureGroups},
		{"growth", measureGrowth},
		{"memory", measureMemory},
		{"start", measureStart},
		{"resync", measureResync},
		{"sizes", measureSizes},
	} {
		if !only.MatchString(step.name) {
			continue
		}
		began := time.Now()
		if err := step.measure(ctx, p, s, r); err != nil {
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s took %s\n", step.name, time.Since(began).Round(time.Second))
	}
	return r, nil
}
