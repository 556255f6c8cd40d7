package scimserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"

	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/scimserver"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// listen starts a replica that serves on an address of its own as it does in production, and returns the address.
func listen(ctx context.Context, changes ...func(*scimserver.Server)) string {
	GinkgoHelper()
	quiet := slog.New(slog.DiscardHandler)
	replica, err := store.New(config, store.Options{MaxStaleness: time.Minute, Log: logr.Discard()})
	Expect(err).NotTo(HaveOccurred())
	address, err := controlplane.FreeAddress(ctx)
	Expect(err).NotTo(HaveOccurred())
	s := &scimserver.Server{
		BindAddress: address, Store: replica, Log: quiet,
		Handler: scimserver.New(replica, scimserver.Options{ExternalURL: externalURL, Log: quiet}),
	}
	for _, change := range changes {
		change(s)
	}
	running, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Start(running) // it cuts off at its end what a failed spec left open
	}()
	DeferCleanup(func() {
		stop()
		Eventually(ended).WithTimeout(30 * time.Second).Should(BeClosed())
	})
	Eventually(replica.Fresh).WithTimeout(30 * time.Second).Should(Succeed())
	return address
}

// dial opens a connection that is closed at the end of the spec.
func dial(ctx context.Context, address string) net.Conn {
	GinkgoHelper()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return c
}

// header is the beginning of a request of the tenant.
func (t *tenant) header(method, path string) string {
	return fmt.Sprintf("%s /scim/v2/%s/%s%s HTTP/1.1\r\nHost: scim\r\nAuthorization: Bearer %s\r\nContent-Type: application/scim+json\r\n",
		method, t.namespace, t.directory, path, t.token)
}

var _ = Describe("Under load", func() {
	It("cuts off clients that are slow, and lets nobody wait for them", func(ctx SpecContext) {
		const slow = 50 // of each kind
		t := newTenant(ctx)
		id := t.addUser("patient")
		address := listen(ctx, func(s *scimserver.Server) {
			s.HaveLittlePatience(2*time.Second, 3*time.Second, 3*time.Second)
		})
		t.url = "http://" + address

		var cutOff sync.WaitGroup
		// trickle sends text byte by byte until the server closes the connection, and returns what it answered.
		trickle := func(begin, text string, answered func(string)) {
			c := dial(ctx, address)
			cutOff.Go(func() {
				defer GinkgoRecover()
				_, err := io.WriteString(c, begin)
				Expect(err).NotTo(HaveOccurred())
				closed := make(chan string)
				go func() {
					answer, _ := io.ReadAll(c) // the error is how the connection ended
					closed <- string(answer)
				}()
				tick := time.NewTicker(200 * time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case answer := <-closed:
						answered(answer)
						return
					case <-tick.C:
						_, _ = io.WriteString(c, text[:1]) // it fails once the connection is closed
						text = text[1:] + text[:1]
					}
				}
			})
		}
		for range slow {
			trickle("", "GET / HTTP/1.1", func(answer string) { Expect(answer).NotTo(ContainSubstring(" 200 ")) })
			trickle(t.header("PATCH", "/Users/"+id)+"Content-Length: 1000\r\n\r\n", `{"schemas": [`, func(answer string) {
				Expect(answer).To(Or(BeEmpty(), ContainSubstring(" 408 ")))
			})
			// One that asks, and asks again, and never reads: the server's answers fill all buffers on the way.
			c := dial(ctx, address)
			Expect(c.(*net.TCPConn).SetReadBuffer(4 << 10)).To(Succeed())
			cutOff.Go(func() {
				request := strings.Repeat(t.header("GET", "/Schemas")+"\r\n", 20)
				for err := error(nil); err == nil; {
					_, err = io.WriteString(c, request)
				}
			})
		}
		ended := make(chan struct{})
		go func() {
			cutOff.Wait()
			close(ended)
		}()
		calls := 0
		Eventually(func(g Gomega) {
			a := t.patch("/Users/"+id, fmt.Sprintf(`{"op":"replace","path":"title","value":"%d"}`, calls))
			Expect(a.status).To(Equal(http.StatusOK), a.String())
			Expect(t.get("/Users/" + id).status).To(Equal(http.StatusOK))
			calls++
			g.Expect(ended).To(BeClosed())
		}).WithTimeout(40 * time.Second).WithPolling(10 * time.Millisecond).Should(Succeed())
		Expect(calls).To(BeNumerically(">", 1), "others are served while slow clients are")
	})

	It("keeps 10,000 idle connections in bounded memory, and answers a new call", func(ctx SpecContext) {
		const wanted, mebibytes = 10_000, 400
		var files syscall.Rlimit
		Expect(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files)).To(Succeed())
		files.Cur = files.Max
		Expect(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &files)).To(Succeed())
		// Both ends of each connection are in this process.
		fit := min(wanted, int(files.Max-500)/2)
		AddReportEntry(fmt.Sprintf("%d idle connections", fit))

		t := newTenant(ctx)
		address := listen(ctx)
		t.url = "http://" + address
		before := inUse()
		connections := make(chan net.Conn, fit)
		g, opening := errgroup.WithContext(ctx)
		g.SetLimit(64)
		for range fit {
			g.Go(func() error {
				c, err := (&net.Dialer{}).DialContext(opening, "tcp", address)
				if err != nil {
					return err
				}
				connections <- c
				return t.useOnce(c)
			})
		}
		DeferCleanup(func() {
			close(connections)
			for c := range connections {
				_ = c.Close()
			}
		})
		Expect(g.Wait()).To(Succeed())
		Expect(inUse()-before).To(BeNumerically("<", mebibytes<<20), "%d connections", fit)
		Expect(t.addUser("newcomer")).NotTo(BeEmpty())
	})

	It("imports everybody while a large group is pushed and others are written, and lets none of them wait", func(ctx SpecContext) {
		const people, page, imports, mebibytes = 1_000, 100, 5, 200
		const patience = 5 * time.Second // only who starves waits that long
		t := newTenant(ctx)
		t.url = "http://" + listen(ctx)
		ids := make([]string, people)
		var making errgroup.Group
		making.SetLimit(16)
		for i := range ids {
			making.Go(func() error {
				defer GinkgoRecover()
				ids[i] = t.addUser(fmt.Sprint("person-", i))
				return nil
			})
		}
		Expect(making.Wait()).To(Succeed())
		group := t.addGroup("Everybody")
		list := func(ids []string) string {
			return `[{"value":"` + strings.Join(ids, `"},{"value":"`) + `"}]`
		}

		before := inUse()
		imported := make(chan struct{})
		var working sync.WaitGroup
		// repeat does something over and over until the imports are done, and at least once.
		repeat := func(do func(round int)) {
			working.Go(func() {
				defer GinkgoRecover()
				for round := 0; ; round++ {
					do(round)
					select {
					case <-imported:
						return
					default:
					}
				}
			})
		}
		pushed := []string{}
		repeat(func(round int) { // nearly everybody, without the first and without the last in turns
			pushed = ids[round%2*people/10 : people-(1-round%2)*people/10]
			a := t.call(http.MethodPut, "/Groups/"+group, `{"displayName":"Everybody","members":`+list(pushed)+`}`)
			Expect(a.status).To(Equal(http.StatusOK), a.String())
		})
		var longest atomic.Int64
		for writer := range 4 {
			repeat(func(round int) {
				began := time.Now()
				id := t.addUser(fmt.Sprintf("newcomer-%d-%d", writer, round))
				Expect(t.patch("/Users/"+id, `{"op":"replace","path":"title","value":"Dr"}`).status).To(Equal(http.StatusOK))
				Expect(t.patch("/Groups/"+group, `{"op":"add","path":"members","value":`+list([]string{id})+`}`).status).To(Equal(http.StatusNoContent))
				if took := int64(time.Since(began)); took > longest.Load() {
					longest.Store(took)
				}
			})
		}
		stop := sync.OnceFunc(func() { close(imported) })
		defer stop()
		for range imports {
			seen := map[string]bool{}
			for start, total := 1, people; start <= total; start += page {
				a := t.get(fmt.Sprintf("/Users?startIndex=%d&count=%d", start, page))
				Expect(a.status).To(Equal(http.StatusOK), a.String())
				count, err := a.body["totalResults"].(json.Number).Int64()
				Expect(err).NotTo(HaveOccurred())
				total = int(count)
				for _, r := range a.resources() {
					id := r["id"].(string)
					Expect(seen).NotTo(HaveKey(id), "twice in one import")
					seen[id] = true
				}
			}
			for _, id := range ids {
				Expect(seen).To(HaveKey(id), "who was there before is in every import")
			}
			Expect(inUse() - before).To(BeNumerically("<", mebibytes<<20))
		}
		stop()
		working.Wait()
		Expect(time.Duration(longest.Load())).To(BeNumerically("<", patience), "three writes one after the other")
		Expect(t.members(group)).To(ContainElements(pushed))
	})

	It("serves one token while another floods it", func(ctx SpecContext) {
		t, other := newTenant(ctx), newTenant(ctx)
		limited := serve(storage, scimserver.Options{RequestsPerSecond: 20})
		t.url, other.url = limited.URL, limited.URL
		var flood sync.WaitGroup
		var refused atomic.Int32
		enough := make(chan struct{})
		for range 16 {
			flood.Go(func() {
				defer GinkgoRecover()
				for {
					select {
					case <-enough:
						return
					default:
					}
					a := t.get("/Users")
					Expect(a.status).To(Or(Equal(http.StatusOK), Equal(http.StatusTooManyRequests)))
					if a.status == http.StatusTooManyRequests {
						Expect(a.header.Get("Retry-After")).To(MatchRegexp(`^[1-9]\d*$`))
						refused.Add(1)
					}
				}
			})
		}
		stop := sync.OnceFunc(func() { close(enough) })
		defer stop()
		Eventually(refused.Load).WithTimeout(30 * time.Second).Should(BeNumerically(">", 100))
		for i := range 10 {
			a := other.call(http.MethodPost, "/Users", fmt.Sprintf(`{"userName":"other-%d"}`, i))
			Expect(a.status).To(Equal(http.StatusCreated), a.String())
		}
		stop()
		flood.Wait()
	})
})

// useOnce makes one call on a connection and leaves it open.
func (t *tenant) useOnce(c net.Conn) error {
	if _, err := io.WriteString(c, t.header("GET", "/ResourceTypes/User")+"\r\n"); err != nil {
		return err
	}
	first := make([]byte, len("HTTP/1.1 200"))
	if _, err := io.ReadFull(c, first); err != nil {
		return err
	}
	if string(first) != "HTTP/1.1 200" {
		return fmt.Errorf("the answer begins with %q", first)
	}
	return nil
}

// inUse is what the process holds on its heap and stacks after a garbage collection.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
