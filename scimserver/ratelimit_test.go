package scimserver

import (
	"strconv"
	"testing"
	"time"
)

func TestRateLimit(t *testing.T) {
	l := newRateLimit(2, 3)
	now := time.Unix(1_700_000_000, 0)
	for i := range 3 {
		if wait := l.take("a", now); wait != 0 {
			t.Errorf("request %d of the burst waits %v", i, wait)
		}
	}
	for range 5 { // a refused request costs nothing
		if wait := l.take("a", now); wait != 500*time.Millisecond {
			t.Errorf("beyond the burst: wait %v, want 0.5 s", wait)
		}
	}
	if wait := l.take("b", now); wait != 0 {
		t.Errorf("another key waits %v", wait)
	}
	if wait := l.take("a", now.Add(500*time.Millisecond)); wait != 0 {
		t.Errorf("after the wait: wait %v", wait)
	}
}

func TestRateLimitOff(t *testing.T) {
	l := newRateLimit(0, 0)
	for range 1000 {
		if wait := l.take("a", time.Unix(0, 0)); wait != 0 {
			t.Fatalf("wait %v", wait)
		}
	}
}

func TestRateLimitIsBounded(t *testing.T) {
	l := newRateLimit(1, 1)
	for i := range maxBuckets + 100 {
		l.take(strconv.Itoa(i), time.Unix(0, 0))
	}
	if n := l.buckets.Len(); n > maxBuckets {
		t.Errorf("%d buckets", n)
	}
}

func TestWholeSeconds(t *testing.T) {
	for d, want := range map[time.Duration]int{0: 1, time.Millisecond: 1, time.Second: 1, 1001 * time.Millisecond: 2, time.Minute: 60} {
		if got := wholeSeconds(d); got != want {
			t.Errorf("wholeSeconds(%v) = %d, want %d", d, got, want)
		}
	}
}
