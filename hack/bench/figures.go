package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// fill makes the people and groups that are read.
func fill(ctx context.Context, p plan, s *stage, _ *report) error {
	if err := s.people(ctx, small, smallUsers, smallUsers); err != nil {
		return err
	}
	return s.people(ctx, large, p.users, p.members)
}

// measureReads compares reads of the large directory with the same reads of the small one.
func measureReads(ctx context.Context, p plan, s *stage, r *report) error {
	o, err := s.startOperator(ctx, "--controllers=false")
	if err != nil {
		return err
	}
	defer o.stop()
	sizes := map[string]int{small: smallUsers, large: p.users}
	ids := map[string][]string{}
	for directory := range sizes {
		l, err := o.list(ctx, directory, "count=500&attributes=id")
		if err != nil {
			return err
		}
		if l.TotalResults != sizes[directory] {
			return fmt.Errorf("directory %s lists %d users instead of %d", directory, l.TotalResults, sizes[directory])
		}
		for _, u := range l.Resources {
			ids[directory] = append(ids[directory], u.ID)
		}
	}
	for _, read := range []struct {
		name, unit string
		goal       float64
		path       func(directory string) string
	}{
		{"GET /Users/{id}", "/s", 0.9, func(d string) string { return "/Users/" + ids[d][pick(len(ids[d]))] }},
		{"userName eq", "/s", 0.9, func(d string) string {
			return "/Users?filter=" + url.QueryEscape(fmt.Sprintf("userName eq %q", userName(d, pick(sizes[d]))))
		}},
		{"emails.value eq", "/s", 0.9, func(d string) string {
			return "/Users?filter=" + url.QueryEscape(fmt.Sprintf("emails.value eq %q", userName(d, pick(sizes[d]))))
		}},
		{"page of 100 anywhere", "/s", 0.9, func(d string) string {
			return fmt.Sprintf("/Users?count=100&startIndex=%d", 1+pick(max(1, sizes[d]-100)))
		}},
		{"GET /Groups without members", "/s", 0.9, func(string) string { return "/Groups?excludedAttributes=members" }},
	} {
		turn := func(directory string) side {
			return func(ctx context.Context, _ int) (float64, error) {
				return perSecondFor(ctx, p.reads, func(ctx context.Context, _ int) error {
					_, err := o.ask(ctx, http.StatusOK, http.MethodGet, directory, read.path(directory), nil)
					return err
				})
			}
		}
		c, err := inTurns(ctx, p.rounds, turn(large), turn(small))
		if err != nil {
			return err
		}
		r.add(figure{
			Name: fmt.Sprintf("%s, %d users", read.name, p.users), Unit: read.unit,
			PeerName: fmt.Sprintf("%d users", smallUsers), comparison: c, Goal: read.goal, AtLeast: true,
		})
	}
	return measureBesideHTTP(ctx, p, s, o, r)
}

// measureBesideHTTP compares reads of the large directory with a bare server that gives the same answer from memory: what is
// left is the work of HTTP, which the client here does on the same processors.
func measureBesideHTTP(ctx context.Context, p plan, s *stage, o *operator, r *report) error {
	for _, read := range []struct {
		name string
		goal float64
		path func() string
	}{
		{"userName eq", 0.5, func() string {
			return "/Users?filter=" + url.QueryEscape(fmt.Sprintf("userName eq %q", userName(large, pick(p.users))))
		}},
		{"page of 500 anywhere", 0.25, func() string {
			return fmt.Sprintf("/Users?count=500&startIndex=%d", 1+pick(max(1, p.users-500)))
		}},
	} {
		answer, err := o.ask(ctx, http.StatusOK, http.MethodGet, large, read.path(), nil)
		if err != nil {
			return err
		}
		bare, err := s.startBareServer(bareServer, answer)
		if err != nil {
			return err
		}
		turn := func(o *operator) side {
			return func(ctx context.Context, _ int) (float64, error) {
				return perSecondFor(ctx, p.reads, func(ctx context.Context, _ int) error {
					_, err := o.ask(ctx, http.StatusOK, http.MethodGet, large, read.path(), nil)
					return err
				})
			}
		}
		c, err := inTurns(ctx, p.rounds, turn(o), turn(bare))
		bare.stop()
		if err != nil {
			return err
		}
		r.add(figure{
			Name: fmt.Sprintf("%s of %d users", read.name, p.users), Unit: "/s",
			PeerName: "bare HTTP server, same bytes", comparison: c, Goal: read.goal, AtLeast: true,
		})
	}
	return nil
}

// measureImport compares the time per page of an import of everybody with that of an import of a tenth.
func measureImport(ctx context.Context, p plan, s *stage, r *report) error {
	o, err := s.startOperator(ctx, "--controllers=false")
	if err != nil {
		return err
	}
	defer o.stop()
	const count = 500
	pages := func(n int) side {
		return func(ctx context.Context, _ int) (float64, error) {
			began := time.Now()
			for start := 1; start <= n; start += count {
				l, err := o.list(ctx, large, fmt.Sprintf("startIndex=%d&count=%d", start, count))
				if err != nil {
					return 0, err
				}
				if len(l.Resources) == 0 {
					return 0, fmt.Errorf("the page at %d is empty", start)
				}
			}
			return time.Since(began).Seconds() * 1000 * count / float64(n), nil
		}
	}
	c, err := inTurns(ctx, p.rounds, pages(p.users), pages(p.users/10))
	if err != nil {
		return err
	}
	r.add(figure{
		Name: fmt.Sprintf("import of %d users, a page of %d", p.users, count), Unit: "ms",
		PeerName: fmt.Sprintf("of %d", p.users/10), comparison: c, Goal: 1.2,
	})
	return nil
}

// measureGroups compares adding one member to the large group with adding one to the small group.
func measureGroups(ctx context.Context, p plan, s *stage, r *report) error {
	o, err := s.startOperator(ctx, "--controllers=false")
	if err != nil {
		return err
	}
	defer o.stop()
	const adds = 50
	one := func(directory string) side {
		return func(ctx context.Context, _ int) (float64, error) {
			newcomers, err := o.newcomers(ctx, directory, adds)
			if err != nil {
				return 0, err
			}
			took := make([]float64, adds)
			for i, id := range newcomers {
				began := time.Now()
				if err := o.addMember(ctx, directory, s.groups[directory], id); err != nil {
					return 0, err
				}
				took[i] = time.Since(began).Seconds() * 1000
			}
			return median(slices.Sorted(slices.Values(took))), nil
		}
	}
	c, err := inTurns(ctx, p.rounds, one(large), one(small))
	if err != nil {
		return err
	}
	r.add(figure{
		Name: fmt.Sprintf("one member more in a group of %d", p.members), Unit: "ms",
		PeerName: fmt.Sprintf("of %d", smallUsers), comparison: c, Goal: 1.5,
	})
	return nil
}

// measureMemory tells what one user costs the server, beside what it costs a bare informer.
func measureMemory(ctx context.Context, _ plan, s *stage, r *report) error {
	o, err := s.startOperator(ctx, "--controllers=false")
	if err != nil {
		return err
	}
	defer o.stop()
	c := comparison{}
	heap, err := o.heapBytes(ctx)
	if err != nil {
		return err
	}
	bare, err := runBareInformer(ctx, s.bareKubeconfig)
	if err != nil {
		return err
	}
	users, err := s.users(ctx)
	if err != nil {
		return err
	}
	c.Ours, c.Peer = []float64{heap / users / 1024}, []float64{4}
	r.add(figure{Name: "memory of one user in the server, groups included", Unit: "KiB", PeerName: "what it may cost", comparison: c, Goal: 1})
	c.Peer = []float64{bare.HeapBytes / users / 1024}
	r.add(figure{Name: "memory of one user in the server", Unit: "KiB", PeerName: "bare informer", comparison: c, Goal: 2})
	return nil
}

// users is how many there are, of whatever directory.
func (s *stage) users(ctx context.Context) (float64, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("ScimUserList"))
	if err := s.admin.List(ctx, list, client.Limit(1)); err != nil {
		return 0, err
	}
	rest := list.GetRemainingItemCount()
	if rest == nil {
		return 0, errors.New("the API server does not say how many users there are")
	}
	return float64(*rest + 1), nil
}

// measureStart compares the time until the operator is ready with the time a bare informer needs to sync.
func measureStart(ctx context.Context, p plan, s *stage, r *report) error {
	c, err := inTurns(ctx, min(p.rounds, 3), func(ctx context.Context, _ int) (float64, error) {
		o, err := s.startOperator(ctx)
		if err != nil {
			return 0, err
		}
		defer o.stop()
		return o.took.Seconds(), nil
	}, func(ctx context.Context, _ int) (float64, error) {
		bare, err := runBareInformer(ctx, s.bareKubeconfig)
		return bare.Seconds, err
	})
	if err != nil {
		return err
	}
	users, err := s.users(ctx)
	if err != nil {
		return err
	}
	r.add(figure{
		Name: fmt.Sprintf("start with %.0f users until ready", users), Unit: "s",
		PeerName: "bare informer's sync", comparison: c, Goal: 2,
	})
	return nil
}
