package provider

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const maxTries = 10 // after so many a provider gives the task up

func asksForPatience(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// patience says how long to wait before the next try. Retry-After is read
// only as a whole number of seconds: without one Okta waits five minutes and
// doubles that each time, which no customer takes for a working set-up.
func patience(a Answer, tries int) (time.Duration, error) {
	if tries >= maxTries {
		return 0, a.Refuse(a.summary()+", ten times", "an answer within ten tries")
	}
	after := a.header.Get("Retry-After")
	seconds, err := strconv.ParseUint(strings.TrimSpace(after), 10, 31)
	if err != nil {
		return 0, a.Refuse(a.summary()+" with Retry-After "+strconv.Quote(after),
			"Retry-After as a whole number of seconds, or it waits for minutes")
	}
	return time.Duration(seconds) * time.Second, nil
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
