package main

import (
	"log/slog"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// limitMemory has the garbage collector keep below nine tenths of what the container may use, or below GOMEMLIMIT if that is set.
// By default it lets the heap double, whatever the limit, so that the kernel would end a process of which half is garbage.
func limitMemory(log *slog.Logger) {
	if _, err := memlimit.Set(); err != nil {
		log.Info("the memory that may be used is not known", "error", err)
	}
}
