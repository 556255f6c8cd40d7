package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

func TestGrowth(t *testing.T) {
	for live, want := range map[uint64]int{0: 3100, 1 << 20: 3100, 32 << 20: 300, 64 << 20: 100, 100 << 20: 100, 4 << 30: 100} {
		if got := growth(live, 128<<20); got != want {
			t.Errorf("growth of %d bytes: %d %%, want %d", live, got, want)
		}
	}
}

var garbage []byte

// How often a process looks for garbage that has little to keep, and makes a lot.
func TestCollectFrom(t *testing.T) {
	const child = "COLLECT_FROM"
	if os.Getenv(child) != "" {
		collectFrom(64 << 20)
		for range 1024 {
			garbage = make([]byte, 1<<20)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Println("collections:", m.NumGC)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestCollectFrom$")
	cmd.Env = append(os.Environ(), child+"=yes")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if _, err := fmt.Sscanf(string(out), "collections: %d", &n); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	if n < 10 || n > 40 {
		t.Errorf("a gigabyte of garbage was collected %d times, want about 16 (%s)", n, strings.TrimSpace(string(out)))
	}
}
