package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// +kubebuilder:rbac:groups=scim-operator.io,resources=scimusers;scimgroups;scimmemberslices,verbs=get;list;watch;create;update;delete
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimdirectories,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=list;watch

const (
	// writeTimeout bounds a write with all its steps; it goes on when the caller hangs up, so that nothing stays half done.
	writeTimeout = 20 * time.Second
	// tidyTimeout bounds what has to follow a write that lost, could not be verified, or left something behind.
	tidyTimeout = 10 * time.Second
	// completeTimeout bounds the wait for a group's slices to appear in the index.
	completeTimeout = 2 * time.Second
)

// Options configure a Store.
type Options struct {
	// MaxStaleness is for how long a watch may be broken before Fresh reports it.
	MaxStaleness time.Duration
	// Log is told what an operator of the server has to know.
	Log logr.Logger
	// Events takes the events on users, groups and directories, which can be many, and must not wait; nil for none.
	Events events.EventRecorder
	// Registerer takes the metrics; nil for none.
	Registerer prometheus.Registerer
}

// Store keeps SCIM resources in Kubernetes. It is safe for concurrent use.
type Store struct {
	client  client.WithWatch
	options Options
	now     func() time.Time
	index   *index
	locks   keyLock
	metrics metrics

	uses *tokenUses

	users       kind[*v1alpha1.ScimUser]
	groups      kind[*v1alpha1.ScimGroup]
	slices      *feed[*v1alpha1.ScimMemberSlice]
	tombstones  *feed[*v1alpha1.ScimTombstone]
	directories *feed[*v1alpha1.ScimDirectory]
	secrets     *feed[*corev1.Secret]
}

// New returns a store on the given cluster. It holds nothing until it is started. It fails if config is unusable.
func New(config *rest.Config, o Options) (*Store, error) {
	c, err := newWire(config)
	if err != nil {
		return nil, fmt.Errorf("a client for the store: %w", err)
	}
	return newStore(c, o), nil
}

func newStore(c client.WithWatch, o Options) *Store {
	ix, m := newIndex(), newMetrics(o.Registerer)
	c = m.counted(c)
	s := &Store{client: c, metrics: m, options: o, now: time.Now, index: ix, locks: keyLock{held: map[nameKey]*heldKey{}},
		uses: newTokenUses()}
	s.users = kind[*v1alpha1.ScimUser]{
		resourceType: schema.User.Name,
		feed: newFeed(ix, c, &v1alpha1.ScimUser{}, &v1alpha1.ScimUserList{},
			func(u *v1alpha1.ScimUser) { ix.directory(directoryOfUser(u)).putUser(u) },
			func(u *v1alpha1.ScimUser) { ix.directory(directoryOfUser(u)).removeUser(u) }),
		empty:      func() *v1alpha1.ScimUser { return &v1alpha1.ScimUser{} },
		directory:  directoryOfUser,
		table:      func(d *directoryIndex) *table[*v1alpha1.ScimUser] { return d.users },
		importable: func(p *policy) v1alpha1.Importable { return p.users.Importable },
		unique:     uniqueOfUser,
		equal:      equalUsers,
		restore:    restoreUser,
	}
	s.groups = kind[*v1alpha1.ScimGroup]{
		resourceType: schema.Group.Name,
		feed: newFeed(ix, c, &v1alpha1.ScimGroup{}, &v1alpha1.ScimGroupList{},
			func(g *v1alpha1.ScimGroup) { ix.directory(directoryOfGroup(g)).groups.put(g) },
			func(g *v1alpha1.ScimGroup) { ix.directory(directoryOfGroup(g)).groups.remove(g.Name) }),
		empty:      func() *v1alpha1.ScimGroup { return &v1alpha1.ScimGroup{} },
		directory:  directoryOfGroup,
		table:      func(d *directoryIndex) *table[*v1alpha1.ScimGroup] { return d.groups },
		importable: func(p *policy) v1alpha1.Importable { return p.groups.Importable },
		unique: func(_ *policy, g *v1alpha1.ScimGroup) []Key {
			return []Key{{"displayName", schema.Fold(g.Spec.DisplayName)}}
		},
		equal: equalGroups,
		restore: func(g, from *v1alpha1.ScimGroup, whole bool, _ []Key) {
			if whole {
				from.Spec.DeepCopyInto(&g.Spec)
			} else {
				g.Spec.DisplayName = from.Spec.DisplayName
			}
		},
	}
	s.slices = newFeed(ix, c, &v1alpha1.ScimMemberSlice{}, &v1alpha1.ScimMemberSliceList{},
		func(m *v1alpha1.ScimMemberSlice) { ix.directory(directoryOfSlice(m)).putSlice(m) },
		func(m *v1alpha1.ScimMemberSlice) { ix.directory(directoryOfSlice(m)).removeSlice(m) })
	s.tombstones = newFeed(ix, c, &v1alpha1.ScimTombstone{}, &v1alpha1.ScimTombstoneList{},
		func(t *v1alpha1.ScimTombstone) { ix.directory(directoryOfTombstone(t)).tombstones.put(t) },
		func(t *v1alpha1.ScimTombstone) { ix.directory(directoryOfTombstone(t)).tombstones.remove(t.Name) })
	s.directories = newFeed(ix, c, &v1alpha1.ScimDirectory{}, &v1alpha1.ScimDirectoryList{},
		func(d *v1alpha1.ScimDirectory) {
			ix.credentials.putDirectory(d)
			of := ix.directory(directoryKey{d.Namespace, d.Name})
			of.declared.put(d)
			of.policy = policyOf(d)
		},
		func(d *v1alpha1.ScimDirectory) {
			ix.credentials.removeDirectory(d)
			of := ix.directory(directoryKey{d.Namespace, d.Name})
			of.declared, of.policy = declaration{}, defaults
		})
	s.secrets = newFeed(ix, c, &corev1.Secret{}, &corev1.SecretList{},
		ix.credentials.putSecret, ix.credentials.removeSecret)
	// Nothing but tokens is ever read: the API server filters by the type, which cannot be changed on a Secret.
	s.secrets.only = client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("type", v1alpha1.TokenSecretType)}
	m.show(s)
	return s
}

func directoryOfUser(u *v1alpha1.ScimUser) directoryKey {
	return directoryKey{u.Namespace, u.Spec.DirectoryRef.Name}
}

func directoryOfGroup(g *v1alpha1.ScimGroup) directoryKey {
	return directoryKey{g.Namespace, g.Spec.DirectoryRef.Name}
}

func directoryOfSlice(m *v1alpha1.ScimMemberSlice) directoryKey {
	return directoryKey{m.Namespace, m.Spec.DirectoryRef.Name}
}

// Start keeps the index current until ctx ends, and reports what was done by means of it.
func (s *Store) Start(ctx context.Context) error {
	// The last report is made from the index, which therefore is kept current for so long.
	indexed, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	for _, run := range []func(context.Context){
		s.users.feed.run, s.groups.feed.run, s.slices.run, s.tombstones.run, s.directories.run, s.secrets.run,
	} {
		running.Go(func() { run(indexed) })
	}
	s.reportUse(ctx)
	stop()
	running.Wait()
	return nil
}

// Fresh returns an error that wraps ErrUnavailable while reads would be wrong: until everything has been read once, and
// when a watch has been broken for longer than MaxStaleness.
func (s *Store) Fresh() error {
	return errors.Join(
		s.users.feed.fresh(s.options.MaxStaleness),
		s.groups.feed.fresh(s.options.MaxStaleness),
		s.slices.fresh(s.options.MaxStaleness),
		s.tombstones.fresh(s.options.MaxStaleness),
		s.directories.fresh(s.options.MaxStaleness),
		s.secrets.fresh(s.options.MaxStaleness),
	)
}

// WaitForSync returns when everything has been read once, or an error that wraps ErrUnavailable when ctx ends before.
func (s *Store) WaitForSync(ctx context.Context) error {
	return s.index.wait(ctx, func() bool {
		return s.users.feed.synced && s.groups.feed.synced && s.slices.synced && s.tombstones.synced &&
			s.directories.synced && s.secrets.synced
	})
}

// Directory is one directory's resources. Whatever id is asked of it, it reads and writes nothing of another directory.
type Directory struct {
	store *Store
	key   directoryKey

	// request and written are those of the request that For was called for.
	request string
	written *written
}

// Directory returns the resources of one ScimDirectory.
func (s *Store) Directory(namespace, name string) *Directory {
	return &Directory{store: s, key: directoryKey{namespace, name}}
}

// read calls f with this directory's part of the index, which stays as it is until f returns.
func (d *Directory) read(f func(*directoryIndex)) {
	d.store.index.mu.RLock()
	defer d.store.index.mu.RUnlock()
	f(d.store.index.look(d.key))
}
