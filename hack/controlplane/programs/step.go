package programs

import (
	"fmt"
	"io"
	"time"
)

const heartbeat = 15 * time.Second

// Step tells that something starts, that it still goes on, and how long it took. It returns the error of what it did,
// which then begins with the step's name.
func Step(progress io.Writer, name string, do func() error) error {
	start := time.Now()
	elapsed := func() time.Duration { return time.Since(start).Round(time.Second) }
	fmt.Fprintf(progress, "%s …\n", name)
	done := make(chan error, 1)
	go func() { done <- do() }()
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			fmt.Fprintf(progress, "%s: done in %s\n", name, elapsed())
			return nil
		case <-tick.C:
			fmt.Fprintf(progress, "%s … %s\n", name, elapsed())
		}
	}
}
