package store

import (
	"context"
	"reflect"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// metrics count what the store asks of the API server, and how often two replicas gave one name away.
type metrics struct {
	registerer            prometheus.Registerer
	writes, reads, undone *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) metrics {
	factory := promauto.With(registerer)
	m := metrics{
		registerer: registerer,
		writes: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "scim_store_writes_total",
			Help: "Writes of the SCIM server to Kubernetes, by kind of object, verb and result: stored, conflict (another writer came first, and it is made again), refused (the value is not valid), failed.",
		}, []string{"kind", "verb", "result"}),
		reads: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "scim_store_live_reads_total",
			Help: "Reads that the SCIM server asked of the API server instead of its index, by kind of object.",
		}, []string{"kind"}),
		undone: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "scim_store_undone_writes_total",
			Help: "Writes that gave somebody a name which another replica gave away at the same time, and that were undone, by type of resource.",
		}, []string{"resource"}),
	}
	// There from the start, so that the first one is seen to be one more.
	for _, resource := range []*schema.ResourceType{schema.User, schema.Group} {
		m.undone.WithLabelValues(resource.Name)
	}
	return m
}

// counted is the client, with what is asked of it counted.
func (m metrics) counted(c client.WithWatch) client.WithWatch {
	write := func(verb string, obj client.Object, err error) error {
		m.writes.WithLabelValues(kindOf(obj), verb, resultOf(err)).Inc()
		return err
	}
	return interceptor.NewClient(c, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, o ...client.GetOption) error {
			m.reads.WithLabelValues(kindOf(obj)).Inc()
			return c.Get(ctx, key, obj, o...)
		},
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, o ...client.CreateOption) error {
			return write("create", obj, c.Create(ctx, obj, o...))
		},
		Update: func(ctx context.Context, c client.WithWatch, obj client.Object, o ...client.UpdateOption) error {
			return write("update", obj, c.Update(ctx, obj, o...))
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, o ...client.DeleteOption) error {
			return write("delete", obj, c.Delete(ctx, obj, o...))
		},
	})
}

func kindOf(obj client.Object) string { return reflect.TypeOf(obj).Elem().Name() }

// resultOf is what became of a write.
func resultOf(err error) string {
	switch {
	case err == nil:
		return "stored"
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err):
		return "conflict"
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return "refused"
	default:
		return "failed"
	}
}

var (
	byDirectory     = []string{"namespace", "directory"}
	usersMetric     = prometheus.NewDesc("scim_index_users", "Users in the index of this replica, by directory.", byDirectory, nil)
	groupsMetric    = prometheus.NewDesc("scim_index_groups", "Groups in the index of this replica, by directory.", byDirectory, nil)
	membersMetric   = prometheus.NewDesc("scim_index_members", "Memberships in groups in the index of this replica, by directory.", byDirectory, nil)
	slicesMetric    = prometheus.NewDesc("scim_index_member_slices", "ScimMemberSlices in the index of this replica, by directory.", byDirectory, nil)
	suspendedMetric = prometheus.NewDesc("scim_directory_suspended", "1 while a ScimDirectory is suspended, and answers 503.", byDirectory, nil)
	stalenessMetric = prometheus.NewDesc("scim_index_staleness_seconds",
		"For how long the index of this replica has not followed Kubernetes, by kind of object; 0 while it does.", []string{"kind"}, nil)
)

// show shows the index of a store.
func (m metrics) show(s *Store) {
	if m.registerer != nil {
		m.registerer.MustRegister(indexMetrics{s})
	}
}

// indexMetrics show the index as it is when they are asked for: a directory that goes is gone from them at once.
type indexMetrics struct{ store *Store }

// Describe implements prometheus.Collector.
func (m indexMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{usersMetric, groupsMetric, membersMetric, slicesMetric, suspendedMetric, stalenessMetric} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. It adds up one number for each group, under a lock that readers share.
func (m indexMetrics) Collect(ch chan<- prometheus.Metric) {
	for key, size := range m.sizes() {
		for desc, value := range map[*prometheus.Desc]int{
			usersMetric: size.users, groupsMetric: size.groups, membersMetric: size.members, slicesMetric: size.slices,
			suspendedMetric: size.suspended,
		} {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), key.namespace, key.name)
		}
	}
	for kind, since := range map[string]time.Duration{
		"ScimUser": m.store.users.feed.staleness(), "ScimGroup": m.store.groups.feed.staleness(),
		"ScimMemberSlice": m.store.slices.staleness(), "ScimTombstone": m.store.tombstones.staleness(),
		"ScimDirectory": m.store.directories.staleness(), "Secret": m.store.secrets.staleness(),
	} {
		ch <- prometheus.MustNewConstMetric(stalenessMetric, prometheus.GaugeValue, since.Seconds(), kind)
	}
}

type indexSize struct{ users, groups, members, slices, suspended int }

func (m indexMetrics) sizes() map[directoryKey]indexSize {
	ix, sizes := m.store.index, map[directoryKey]indexSize{}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	for namespace, named := range ix.credentials.directories {
		for name, declared := range named {
			key := directoryKey{namespace, name}
			d := ix.look(key)
			size := indexSize{users: len(d.users.byName), groups: len(d.groups.byName)}
			for _, e := range d.epochs {
				size.members += e.members
				size.slices += len(e.shards)
			}
			if declared.Spec.Suspended {
				size.suspended = 1
			}
			sizes[key] = size
		}
	}
	return sizes
}

// staleness is for how long the watch has been broken.
func (f *feed[T]) staleness() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.brokenSince.IsZero() {
		return 0
	}
	return time.Since(f.brokenSince)
}

// Exists says whether there is a ScimDirectory of that name.
func (s *Store) Exists(namespace, name string) bool {
	s.index.mu.RLock()
	defer s.index.mu.RUnlock()
	_, is := s.index.credentials.directories[namespace][name]
	return is
}
