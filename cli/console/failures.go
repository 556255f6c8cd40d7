package console

import (
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

const (
	// A caller may present ten wrong tokens at once, and then one every six seconds.
	failuresAtOnce    = 10
	failuresPerSecond = 1.0 / 6
	// maxCallers bounds the memory; beyond it, who failed longest ago starts afresh.
	maxCallers = 4096
)

// failures counts the wrong tokens of each caller, so that nobody can have Kubernetes check any number of them.
type failures struct {
	callers *lru.Cache[string, *rate.Limiter]
}

func newFailures() *failures {
	callers, _ := lru.New[string, *rate.Limiter](maxCallers) // fails only for a size below one
	return &failures{callers}
}

// exceeded says whether the caller has to wait before the next token.
func (f *failures) exceeded(caller string) bool {
	limiter, known := f.callers.Get(caller)
	return known && limiter.Tokens() < 1
}

// note counts one more.
func (f *failures) note(caller string) {
	limiter, known := f.callers.Get(caller)
	if !known {
		limiter = rate.NewLimiter(failuresPerSecond, failuresAtOnce)
		if other, raced, _ := f.callers.PeekOrAdd(caller, limiter); raced {
			limiter = other
		}
	}
	limiter.Allow()
}
