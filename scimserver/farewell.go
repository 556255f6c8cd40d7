package scimserver

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// silence is how long a connection waits for its next request before it is taken for unused.
	silence = time.Second

	// farewellTimeout is how long those who go on asking are waited for.
	farewellTimeout = 5 * time.Second
)

// farewell has those who keep connections leave by themselves. At the end net/http closes a connection that waits for its next
// request, even if that is on its way, and a proxy must not repeat one that writes. So once the farewell has begun, every answer
// says that it is the last of its connection, and the end may come when those that wait have waited for a while.
type farewell struct {
	begun atomic.Bool

	mu sync.Mutex
	// silentSince has the connections that wait for their next request.
	silentSince map[net.Conn]time.Time
}

// observe is told of every connection by net/http.
func (f *farewell) observe(connection net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if state == http.StateIdle {
		f.silentSince[connection] = time.Now()
	} else {
		delete(f.silentSince, connection)
	}
}

// around lets clients know, with their next answer, that they should not use the connection again.
func (f *farewell) around(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.begun.Load() {
			w.Header().Set("Connection", "close")
		}
		handler.ServeHTTP(w, r)
	})
}

// say begins, and returns when every connection that waits is unused, or soon if some never are, or when ctx ends.
func (f *farewell) say(ctx context.Context) {
	f.begun.Store(true)
	ctx, cancel := context.WithTimeout(ctx, farewellTimeout)
	defer cancel()
	tick := time.NewTicker(silence / 20)
	defer tick.Stop()
	for !f.unused(time.Now()) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (f *farewell) unused(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, since := range f.silentSince {
		if now.Sub(since) < silence {
			return false
		}
	}
	return true
}
