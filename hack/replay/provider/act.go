package provider

import (
	"context"
	"fmt"
)

// Act is one scene of a play: the same small step, several times.
type Act struct {
	Name  string
	Steps int
	Step  func(ctx context.Context, i int) error
}

// Event is the progress of one act.
type Event struct {
	Player      string
	Act         string
	Done, Total int
}

// Play goes through the acts and stops at the first error, which it returns
// under the name of the act. A nil progress is fine.
func Play(ctx context.Context, player string, acts []Act, progress func(Event)) error {
	if progress == nil {
		progress = func(Event) {}
	}
	for _, a := range acts {
		for i := range a.Steps {
			progress(Event{Player: player, Act: a.Name, Done: i, Total: a.Steps})
			if err := a.Step(ctx, i); err != nil {
				return fmt.Errorf("%s: %w", a.Name, err)
			}
		}
		if a.Steps > 0 {
			progress(Event{Player: player, Act: a.Name, Done: a.Steps, Total: a.Steps})
		}
	}
	return nil
}
