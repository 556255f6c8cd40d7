package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
)

func TestGrowth(t *testing.T) {
	for live, want := range map[uint64]int{0: 400, 1 << 20: 400, 32 << 20: 300, 64 << 20: 100, 100 << 20: 100, 4 << 30: 100} {
		if got := growth(live, 128<<20); got != want {
			t.Errorf("growth of %d bytes: %d %%, want %d", live, got, want)
		}
	}
}

var alive, garbage []byte

// How often a process looks for garbage that keeps some megabytes, and makes a lot.
func TestCollectFrom(t *testing.T) {
	const child = "COLLECT_FROM"
	if os.Getenv(child) != "" {
		collectFrom(leastHeap)
		alive = make([]byte, 16<<20)
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 1024 {
			garbage = make([]byte, 1<<20)
		}
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(alive)
		fmt.Println("collections:", after.NumGC-before.NumGC)
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
	if n > 28 {
		t.Errorf("a gigabyte of garbage beside 16 MiB was collected %d times, want about 16; by default it is 64", n)
	}
}
