package scimserver

import (
	"math"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// maxBuckets bounds the memory of a rateLimit; beyond it the key that was idle longest starts afresh.
const maxBuckets = 8192

// rateLimit keeps one token bucket per key. A nil rateLimit limits nothing.
type rateLimit struct {
	perSecond rate.Limit
	burst     int
	buckets   *lru.Cache[string, *rate.Limiter]
}

// newRateLimit returns nil when perSecond is not positive.
func newRateLimit(perSecond float64, burst int) *rateLimit {
	if perSecond <= 0 {
		return nil
	}
	buckets, _ := lru.New[string, *rate.Limiter](maxBuckets) // fails only for a size below one
	return &rateLimit{perSecond: rate.Limit(perSecond), burst: max(burst, 1), buckets: buckets}
}

// take counts one request under key at time now. It returns how long the client must wait, or 0 when it may go on.
func (l *rateLimit) take(key string, now time.Time) time.Duration {
	if l == nil {
		return 0
	}
	reservation := l.bucket(key).ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

func (l *rateLimit) bucket(key string) *rate.Limiter {
	if bucket, ok := l.buckets.Get(key); ok {
		return bucket
	}
	fresh := rate.NewLimiter(l.perSecond, l.burst)
	if other, ok, _ := l.buckets.PeekOrAdd(key, fresh); ok {
		return other
	}
	return fresh
}

// wholeSeconds is a duration as Retry-After has it, rounded up: Okta understands integers only.
func wholeSeconds(d time.Duration) int {
	return max(1, int(math.Ceil(d.Seconds())))
}
