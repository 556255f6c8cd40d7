package filelock

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func TestOneHolderAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "lock")
	waits := 0
	onWait := func() { waits++ }
	release, err := Acquire(t.Context(), path, onWait)
	if err != nil || waits != 0 {
		t.Fatalf("a free lock: %v after %d waits", err, waits)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	if _, err := Acquire(ctx, path, onWait); !errors.Is(err, context.DeadlineExceeded) || waits != 1 {
		t.Errorf("a held lock: %v after %d waits, want to wait until the context ends", err, waits)
	}

	release()
	if release, err = Acquire(t.Context(), path, onWait); err != nil {
		t.Fatalf("a released lock: %v", err)
	}
	release()
}
