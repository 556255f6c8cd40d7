package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	workers = 9
	// people compete for few userNames, and for the places of few members, so that writers meet.
	userNames = 8
	members   = 10
	commuters = 6
	// patience is how long a client waits for an answer; without one it does not know what became of its request.
	patience = 5 * time.Second
	pause    = 5 * time.Millisecond
)

// workload is what the clients do, and what they saw.
type workload struct {
	cluster *cluster
	http    *http.Client
	began   time.Time
	group   string
	// crowd are the users who come and go as members of the group.
	crowd []string
	// commuters are the members of a group of their own, in which each is moved by one client alone.
	commuters     []string
	commuterGroup string

	mu      sync.Mutex
	history []event
	// holder is who is known to hold a userName: where an id comes from that is written to.
	holder map[string]string
	values int
}

// event is one request and what its client saw of it; times are since the workload began.
type event struct {
	client, replica int
	call, back      time.Duration
	op              op
	// subject is the userName, or the member's id.
	subject string
	// id and value are what was written or read.
	id, value string
	outcome   outcome
}

type op int

const (
	create op = iota
	write
	remove
	read
	join
	quit
	glance
)

type outcome int

const (
	// unknown: no answer, or one that promises nothing (5xx): the request may have had its effect, may yet have it, or not.
	unknown outcome = iota
	done
	taken   // 409
	missing // 404, or not listed
)

func newWorkload(ctx context.Context, c *cluster) (*workload, error) {
	w := &workload{
		cluster: c, began: time.Now(), holder: map[string]string{},
		http: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: workers + commuters}},
	}
	var err error
	if w.group, w.crowd, err = w.gather(ctx, "member", members); err != nil {
		return nil, err
	}
	if w.commuterGroup, w.commuters, err = w.gather(ctx, "commuter", commuters); err != nil {
		return nil, err
	}
	return w, nil
}

// gather makes users, and a group without members that is called like them.
func (w *workload) gather(ctx context.Context, kind string, n int) (group string, ids []string, err error) {
	for i := range n {
		body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%s.%d","active":true}`, kind, i)
		status, answer, err := w.ask(ctx, i%replicas, http.MethodPost, "/Users", body)
		if err != nil || status != http.StatusCreated {
			return "", nil, fmt.Errorf("no %s can be made: %d %v %w", kind, status, answer, err)
		}
		ids = append(ids, answer.ID)
	}
	status, answer, err := w.ask(ctx, 0, http.MethodPost, "/Groups",
		fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":%q}`, kind))
	if err != nil || status != http.StatusCreated {
		return "", nil, fmt.Errorf("no group can be made: %d %w", status, err)
	}
	return answer.ID, ids, nil
}

// answer is what of a user, group or list is looked at.
type answer struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	NickName  string `json:"nickName"`
	Resources []answer
	Members   []struct {
		Value string `json:"value"`
	} `json:"members"`
}

func (w *workload) ask(ctx context.Context, replica int, method, path, body string) (int, answer, error) {
	var a answer
	address := "http://" + w.cluster.replicas[replica].scim + "/scim/v2/" + namespace + "/" + directory + path
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewBufferString(body))
	if err != nil {
		return 0, a, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/scim+json")
	response, err := w.http.Do(r)
	if err != nil {
		return 0, a, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, a, err
	}
	if len(raw) > 0 && response.StatusCode < http.StatusBadRequest {
		err = json.Unmarshal(raw, &a)
	}
	return response.StatusCode, a, err
}

// work lets all clients work until ctx ends. It returns an error when an answer is one that no fault explains.
func (w *workload) work(ctx context.Context, random func(stream uint64) *rand.Rand) error {
	g, working := errgroup.WithContext(ctx)
	for client := range workers {
		dice := random(uint64(client) + 1)
		g.Go(func() error {
			for working.Err() == nil {
				// An operation that was begun is finished, so that its outcome is known where it can be.
				if err := w.act(context.WithoutCancel(working), client, dice); err != nil {
					return err
				}
				wait(working, pause)
			}
			return nil
		})
	}
	g.Go(func() error {
		for dice := random(workers + 1); working.Err() == nil; wait(working, pause) {
			w.glanceAtUser(context.WithoutCancel(working), dice)
			w.glanceAtMember(context.WithoutCancel(working), workers, w.group, w.crowd[dice.IntN(len(w.crowd))])
		}
		return nil
	})
	for i, id := range w.commuters {
		client := workers + 1 + i
		g.Go(func() error { return w.commute(working, client, id, random(uint64(client)+1)) })
	}
	return g.Wait()
}

func (w *workload) act(ctx context.Context, client int, dice *rand.Rand) error {
	replica := dice.IntN(replicas)
	if dice.IntN(2) == 0 {
		return w.changeMembers(ctx, client, replica, dice)
	}
	name := fmt.Sprintf("user.%d", dice.IntN(userNames))
	w.mu.Lock()
	id := w.holder[name]
	w.values++
	value := fmt.Sprint("v", w.values)
	w.mu.Unlock()
	e := event{client: client, replica: replica, subject: name, id: id, value: value}
	choice := dice.IntN(10)
	user := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"title":%q,"nickName":%q,"active":true}`,
		name, value, value)
	switch {
	case choice < 3 || id == "" && choice < 8:
		e.op, e.id = create, ""
		return w.send(ctx, &e, http.MethodPost, "/Users", user)
	case choice < 5:
		e.op = write
		return w.send(ctx, &e, http.MethodPut, "/Users/"+id, user)
	case choice < 6:
		e.op = write
		return w.send(ctx, &e, http.MethodPatch, "/Users/"+id, fmt.Sprintf(
			`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"title":%q,"nickName":%q}}]}`,
			value, value))
	case choice < 7:
		e.op = remove
		return w.send(ctx, &e, http.MethodDelete, "/Users/"+id, "")
	case choice < 8:
		e.op = read
		return w.send(ctx, &e, http.MethodGet, "/Users/"+id, "")
	default:
		e.op, e.id = read, ""
		return w.send(ctx, &e, http.MethodGet, "/Users?filter="+url.QueryEscape(fmt.Sprintf("userName eq %q", name)), "")
	}
}

// changeMembers adds or removes one member, or replaces all.
func (w *workload) changeMembers(ctx context.Context, client, replica int, dice *rand.Rand) error {
	id := w.crowd[dice.IntN(len(w.crowd))]
	e := event{client: client, replica: replica, subject: id}
	one := func(o op) error { return w.move(ctx, &e, w.group, o) }
	switch choice := dice.IntN(9); {
	case choice < 2:
		return one(join)
	case choice < 4:
		return one(quit)
	case choice < 8:
		// There and back by way of another replica, which may not have heard of the first half yet.
		there, back := join, quit
		if choice < 6 {
			there, back = quit, join
		}
		if err := one(there); err != nil {
			return err
		}
		e.replica = (replica + 1) % replicas
		return one(back)
	default:
		var chosen []map[string]string
		for _, m := range w.crowd {
			if dice.IntN(2) == 0 {
				chosen = append(chosen, map[string]string{"value": m})
			}
		}
		return w.replaceMembers(ctx, e, chosen)
	}
}

// move adds the event's subject to a group, or removes it.
func (w *workload) move(ctx context.Context, e *event, group string, o op) error {
	e.op = o
	operation := fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, e.subject)
	if o == quit {
		operation = fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, e.subject)
	}
	return w.send(ctx, e, http.MethodPatch, "/Groups/"+group,
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+operation+`]}`)
}

// replaceMembers is one PUT, which for each of the crowd says that they join or quit.
func (w *workload) replaceMembers(ctx context.Context, e event, chosen []map[string]string) error {
	body, err := json.Marshal(map[string]any{
		"schemas":     []string{"urn:ietf:params:scim:schemas:core:2.0:Group"},
		"displayName": "member", "members": chosen,
	})
	if err != nil {
		return err
	}
	e.call = time.Since(w.began)
	status, _, err := w.ask(ctx, e.replica, http.MethodPut, "/Groups/"+w.group, string(body))
	e.back = time.Since(w.began)
	if neverSent(err) {
		return nil
	}
	if e.outcome, err = outcomeOf(status, err); err != nil {
		return fmt.Errorf("PUT of the group: %w", err)
	}
	for _, m := range w.crowd {
		e.subject, e.op = m, quit
		if slices.ContainsFunc(chosen, func(c map[string]string) bool { return c["value"] == m }) {
			e.op = join
		}
		w.record(e)
	}
	return nil
}

func (w *workload) send(ctx context.Context, e *event, method, path, body string) error {
	e.call = time.Since(w.began)
	status, a, err := w.ask(ctx, e.replica, method, path, body)
	e.back = time.Since(w.began)
	if neverSent(err) {
		return nil
	}
	if e.outcome, err = outcomeOf(status, err); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if e.op == read && e.outcome == done {
		if e.id == "" && len(a.Resources) == 0 {
			e.outcome = missing
		} else if e.id == "" {
			a = w.holderAmong(a.Resources)
		}
		if a.Title != a.NickName {
			return fmt.Errorf("user %s is half of one write and half of another: %q and %q", a.ID, a.Title, a.NickName)
		}
		e.value = a.Title
	}
	if e.outcome == done && (e.op == create || e.op == read) {
		e.id = a.ID
	}
	w.record(*e)
	return nil
}

// holderAmong is who holds a name. Others that are listed were made by requests that were never acknowledged: they are about
// to be undone, or their replica was killed before it could do so.
func (w *workload) holderAmong(listed []answer) answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range listed {
		if slices.ContainsFunc(w.history, func(e event) bool { return e.op == create && e.outcome == done && e.id == a.ID }) {
			return a
		}
	}
	return listed[0]
}

// neverSent says that there was nobody to send a request to: it is none, and would only make the histories longer.
func neverSent(err error) bool {
	var network *net.OpError
	return errors.As(err, &network) && network.Op == "dial"
}

// outcomeOf reads an answer. An error is an answer that no fault explains.
func outcomeOf(status int, err error) (outcome, error) {
	switch {
	case err != nil || status >= http.StatusInternalServerError:
		return unknown, nil
	case status < http.StatusBadRequest:
		return done, nil
	case status == http.StatusConflict:
		return taken, nil
	case status == http.StatusNotFound:
		return missing, nil
	default:
		return unknown, fmt.Errorf("unexpected status %d", status)
	}
}

func (w *workload) record(e event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, e)
	switch {
	case e.op == create && e.outcome == done, e.op == read && e.outcome == done:
		w.holder[e.subject] = e.id
	case e.outcome == missing && e.id != "" && w.holder[e.subject] == e.id:
		delete(w.holder, e.subject)
	}
}

// lookAtTheEnd reads everything once more, when nobody writes and all replicas show the same.
func (w *workload) lookAtTheEnd(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		views := make([][]event, replicas)
		var err error
		for replica := range replicas {
			if views[replica], err = w.view(ctx, replica); err != nil {
				break
			}
		}
		same := err == nil && sameViews(views)
		if same {
			for _, e := range views[0] {
				w.record(e)
			}
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the replicas never show the same: %w", err)
		}
		wait(ctx, 200*time.Millisecond)
	}
}

// view is what one replica shows of all users and members.
func (w *workload) view(ctx context.Context, replica int) ([]event, error) {
	var seen []event
	for i := range userNames {
		e := event{client: workers, replica: replica, op: glance, subject: fmt.Sprintf("user.%d", i), call: time.Since(w.began)}
		status, a, err := w.ask(ctx, replica, http.MethodGet, "/Users?filter="+url.QueryEscape(fmt.Sprintf("userName eq %q", e.subject)), "")
		if err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("status %d: %w", status, err)
		}
		e.outcome, e.back = missing, time.Since(w.began)
		if len(a.Resources) > 0 {
			holder := w.holderAmong(a.Resources)
			e.outcome, e.id, e.value = done, holder.ID, holder.Title
		}
		seen = append(seen, e)
	}
	for _, group := range []struct {
		id      string
		members []string
	}{{w.group, w.crowd}, {w.commuterGroup, w.commuters}} {
		at := time.Since(w.began)
		status, a, err := w.ask(ctx, replica, http.MethodGet, "/Groups/"+group.id, "")
		if err != nil || status != http.StatusOK {
			return nil, fmt.Errorf("status %d: %w", status, err)
		}
		inside := map[string]bool{}
		for _, m := range a.Members {
			inside[m.Value] = true
		}
		for _, id := range group.members {
			e := event{client: workers, replica: replica, op: glance, subject: id, call: at, back: time.Since(w.began), outcome: missing}
			if inside[id] {
				e.outcome = done
			}
			seen = append(seen, e)
		}
	}
	return seen, nil
}

func sameViews(views [][]event) bool {
	for i := range views[0] {
		for _, v := range views[1:] {
			if a, b := views[0][i], v[i]; a.outcome != b.outcome || a.id != b.id || a.value != b.value {
				return false
			}
		}
	}
	return true
}
