package main

import (
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// leastHeap is the size in bytes up to which the heap may grow before it is searched for garbage.
const leastHeap = 128 << 20

// limitMemory has the garbage collector keep below nine tenths of what the container may use, or below GOMEMLIMIT if that is set.
// By default it lets the heap double, whatever the limit, so that the kernel would end a process of which half is garbage. And
// it lets a small heap grow to leastHeap, unless GOGC says what to do.
func limitMemory(log *slog.Logger) {
	if _, err := memlimit.Set(); err != nil {
		log.Info("the memory that may be used is not known", "error", err)
	}
	if os.Getenv("GOGC") == "" {
		collectFrom(leastHeap)
	}
}

// collectFrom has the collector wait until the heap has that size, or is five times what is alive. With a few thousand people
// it would else look through all of them several times in each second of an import, to win a few megabytes.
func collectFrom(least uint64) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	type cycle struct{ _ *cycle }
	var adjust func(struct{})
	adjust = func(struct{}) {
		metrics.Read(live)
		debug.SetGCPercent(growth(live[0].Value.Uint64(), least))
		runtime.AddCleanup(new(cycle), adjust, struct{}{}) // garbage at once, and so called when the next collection is done
	}
	adjust(struct{}{})
}

// growth is by how many percent a heap may grow: to the least size, to twice its own in any case, and no further than to five
// times its own, because it is as if all were alive that is made while the collector is at work.
func growth(live, least uint64) int {
	return min(max(100, int(100*least/max(live, 1))-100), 400)
}
