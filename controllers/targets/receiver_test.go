package targets_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// received is the body of a call of a webhook.
type received struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		Sequence  int64           `json:"sequence"`
		Directory string          `json:"directory"`
		Namespace string          `json:"namespace"`
		Target    string          `json:"target"`
		Person    *receivedPerson `json:"person"`
		Role      *receivedRole   `json:"role"`

		Snapshot struct {
			ID    string `json:"id"`
			Page  int    `json:"page"`
			Pages int    `json:"pages"`
		} `json:"snapshot"`
		Sequences []struct {
			Directory string `json:"directory"`
			Last      int64  `json:"last"`
		} `json:"sequences"`
		Roles  []receivedRole   `json:"roles"`
		People []receivedPerson `json:"people"`
	} `json:"data"`
}

type receivedRole struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

type receivedPerson struct {
	ID          string   `json:"id"`
	Directory   string   `json:"directory"`
	UserName    string   `json:"userName"`
	Email       string   `json:"email"`
	DisplayName string   `json:"displayName"`
	ExternalID  string   `json:"externalId"`
	Active      bool     `json:"active"`
	Roles       []string `json:"roles"`
}

// String is the event in words, such as "role.granted ada admin".
func (e received) String() string {
	words := []string{e.Type}
	if e.Data.Person != nil {
		words = append(words, e.Data.Person.ID)
	}
	if e.Data.Role != nil {
		words = append(words, e.Data.Role.Name)
	}
	return strings.Join(words, " ")
}

// receiver is an app that is told by a webhook who may enter. It believes nothing that is not signed, and applies each event
// once, as an app would.
type receiver struct {
	server  *httptest.Server
	secrets []*standardwebhooks.Webhook

	mu sync.Mutex
	// answer decides what is answered to an event, before it counts as received; nil is 204.
	answer   func(received) int
	pause    time.Duration
	bodies   map[string][]byte // by webhook-id
	events   []received        // each once, in the order in which they were first received
	attempts []string          // all events in words, also those that were refused
	has      map[string]bool   // "ada", and "ada admin"
	broken   []string          // what no sender of webhooks may do
	repeated int
}

// signing secrets, of 32 bytes each.
const (
	firstSecret  = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	secondSecret = "whsec_Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="
)

// newReceiver listens on this machine, and wants calls to be signed with each of the secrets.
func newReceiver(secrets ...string) *receiver {
	GinkgoHelper()
	r := &receiver{bodies: map[string][]byte{}, has: map[string]bool{}}
	for _, s := range secrets {
		w, err := standardwebhooks.NewWebhook(s)
		if err != nil {
			Fail(err.Error())
		}
		r.secrets = append(r.secrets, w)
	}
	r.server = httptest.NewTLSServer(r)
	DeferCleanup(r.server.Close)
	return r
}

func (r *receiver) certificate() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.server.Certificate().Raw}))
}

// ServeHTTP receives one event.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	pause := r.pause
	r.mu.Unlock()
	time.Sleep(pause) // a slow receiver
	w.WriteHeader(r.receive(request.Header, body))
}

func (r *receiver) receive(header http.Header, body []byte) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.secrets {
		if err := s.Verify(body, header); err != nil {
			r.broken = append(r.broken, err.Error())
			return http.StatusUnauthorized
		}
	}
	var e received
	if err := json.Unmarshal(body, &e); err != nil {
		r.broken = append(r.broken, err.Error())
		return http.StatusBadRequest
	}
	r.attempts = append(r.attempts, e.String())
	if r.answer != nil {
		if status := r.answer(e); status >= http.StatusMultipleChoices {
			return status
		}
	}
	id := header.Get(standardwebhooks.HeaderWebhookID)
	if before, again := r.bodies[id]; again {
		r.repeated++
		if !bytes.Equal(before, body) {
			r.broken = append(r.broken, fmt.Sprintf("%s was %s and is %s", id, before, body))
		}
		return http.StatusNoContent
	}
	r.bodies[id] = body
	r.events = append(r.events, e)
	r.apply(e)
	return http.StatusNoContent
}

func (r *receiver) apply(e received) {
	switch e.Type {
	case "user.provisioned", "user.updated", "user.reactivated", "user.deactivated":
		r.has[e.Data.Person.ID] = e.Data.Person.Active
	case "user.removed":
		delete(r.has, e.Data.Person.ID)
	case "role.granted":
		r.has[e.Data.Person.ID+" "+e.Data.Role.Name] = true
	case "role.revoked":
		delete(r.has, e.Data.Person.ID+" "+e.Data.Role.Name)
	}
}

// held are the roles of those who are active.
func (r *receiver) held() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	held := []string{}
	for key := range r.has {
		if id, _, is := strings.Cut(key, " "); is && r.has[id] {
			held = append(held, key)
		}
	}
	slices.Sort(held)
	return held
}

func (r *receiver) log() []string {
	var log []string
	for _, e := range r.received() {
		switch e.Type {
		case "role.granted":
			log = append(log, "+"+e.Data.Person.ID+" "+e.Data.Role.Name)
		case "role.revoked":
			log = append(log, "-"+e.Data.Person.ID+" "+e.Data.Role.Name)
		}
	}
	return log
}

// received are the events that were accepted, each once.
func (r *receiver) received() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// about are the events in words that name somebody.
func (r *receiver) about(id string) []string {
	words := []string{}
	for _, e := range r.received() {
		if e.Data.Person != nil && e.Data.Person.ID == id {
			words = append(words, e.String())
		}
	}
	return words
}

// of are the events of a type.
func (r *receiver) of(kind string) []received {
	return slices.DeleteFunc(r.received(), func(e received) bool { return e.Type != kind })
}

// tries counts how often an event was sent.
func (r *receiver) tries(words string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, a := range r.attempts {
		if a == words {
			n++
		}
	}
	return n
}

func (r *receiver) writes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.attempts)
}

func (r *receiver) answers(f func(received) int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

func (r *receiver) takes(pause time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pause = pause
}

// complaints are what the sender did that it may not do: see receive, and numbers of a directory that are missing, or that
// do not rise for the same person.
func (r *receiver) complaints() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.Clone(r.broken)
	numbers := map[string][]int64{}
	last := map[string]int64{}
	for _, e := range r.events {
		if e.Type == "snapshot" {
			continue
		}
		d := e.Data
		numbers[d.Directory] = append(numbers[d.Directory], d.Sequence)
		if d.Person != nil {
			if d.Sequence <= last[d.Person.ID] {
				all = append(all, fmt.Sprintf("%s has number %d after %d", e, d.Sequence, last[d.Person.ID]))
			}
			last[d.Person.ID] = d.Sequence
		}
	}
	for directory, list := range numbers {
		slices.Sort(list)
		for i, n := range list {
			if n != int64(i+1) {
				all = append(all, fmt.Sprintf("number %d of directory %q is missing", i+1, directory))
				break
			}
		}
	}
	return all
}
