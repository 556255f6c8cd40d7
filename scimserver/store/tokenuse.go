package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// +kubebuilder:rbac:groups=scim-operator.io,resources=scimdirectories/status,verbs=patch

// What is known of the use of tokens is kept in memory, and written into the status of their directory now and then: no
// request waits for it, and few cause a write.
const (
	// useFieldManager owns what the SCIM servers report about the use of tokens. All replicas are this one manager, so each
	// writes what the others have reported, too.
	useFieldManager = v1alpha1.FieldManager + "-use"
	// useInterval is how often what is new is looked at, useResolution how old a report about a token becomes before what
	// is no more than a later time is news.
	useInterval   = 3 * time.Second
	useResolution = 5 * time.Minute
	// scopeEventInterval is how often an event tells that the same token lacks a scope.
	scopeEventInterval = time.Minute
	// lastUseTimeout bounds the report at the end.
	lastUseTimeout = 5 * time.Second
)

// tokenUse is what is known of the use of one token.
type tokenUse struct {
	// used is when it was last used, with the version of its Secret; failed when it was last refused, and why.
	used, failed moment
	// told is when an event last told that it lacks a scope.
	told time.Time
}

// tokenUses is that of all tokens, by directory and name.
type tokenUses struct {
	mu sync.Mutex
	of map[directoryKey]map[string]*tokenUse
}

func newTokenUses() *tokenUses {
	return &tokenUses{of: map[directoryKey]map[string]*tokenUse{}}
}

// note changes what is known of a token.
func (u *tokenUses) note(c Credential, change func(*tokenUse)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	key := directoryKey{c.Namespace, c.Directory}
	if u.of[key] == nil {
		u.of[key] = map[string]*tokenUse{}
	}
	if u.of[key][c.Token] == nil {
		u.of[key][c.Token] = &tokenUse{}
	}
	change(u.of[key][c.Token])
}

// seen is what is known of a directory's tokens. Those that the directory no longer has are forgotten.
func (u *tokenUses) seen(key directoryKey, tokens []v1alpha1.DirectoryToken) map[string]tokenUse {
	u.mu.Lock()
	defer u.mu.Unlock()
	seen := make(map[string]tokenUse, len(u.of[key]))
	for name, use := range u.of[key] {
		if slices.ContainsFunc(tokens, func(t v1alpha1.DirectoryToken) bool { return t.Name == name }) {
			seen[name] = *use
		} else {
			delete(u.of[key], name)
		}
	}
	return seen
}

// keep forgets the directories that do not exist.
func (u *tokenUses) keep(exists func(directoryKey) bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for key := range u.of {
		if !exists(key) {
			delete(u.of, key)
		}
	}
}

// NoteUse is told that a call with the token is answered.
func (s *Store) NoteUse(c Credential) {
	now := s.now()
	s.uses.note(c, func(u *tokenUse) { u.used = momentOf(now, c.secretVersion) })
}

// NoteExpired is told that a call was refused because the token has expired.
func (s *Store) NoteExpired(c Credential) {
	now := s.now()
	s.uses.note(c, func(u *tokenUse) { u.failed = momentOf(now, string(v1alpha1.TokenFailureExpired)) })
}

// NoteMissing is told that a call was refused because the token lacks a scope. An event on the directory says so, for an
// administrator who wonders why the identity provider shows an error.
func (s *Store) NoteMissing(c Credential, scope string) {
	now, tell := s.now(), false
	s.uses.note(c, func(u *tokenUse) {
		u.failed = momentOf(now, string(v1alpha1.TokenFailureScopeMissing))
		if tell = now.Sub(u.told) >= scopeEventInterval; tell {
			u.told = now
		}
	})
	if tell {
		s.tell(event{
			regarding: &corev1.ObjectReference{
				APIVersion: v1alpha1.GroupVersion.String(), Kind: "ScimDirectory",
				Namespace: c.Namespace, Name: c.Directory, UID: c.uid,
				FieldPath: "spec.tokens{" + c.Token + "}", // events about the same field are counted as one
			},
			kind: corev1.EventTypeWarning, reason: v1alpha1.EventTokenScopeMissing,
			note: fmt.Sprintf("A call with token %q was refused (403): it lacks the scope %s. Tick \"Read and write SCIM\" where the token "+
				"was made, or add %s to spec.tokens[name=%s].scopes", c.Token, scope, scope, c.Token),
		})
	}
}

// reportUse reports the use of tokens until ctx ends, and then once more whatever is not reported yet.
func (s *Store) reportUse(ctx context.Context) {
	ticker := time.NewTicker(useInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.flushUse(ctx, useResolution)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastUseTimeout)
			defer cancel()
			// Another replica may end at the same time and be the first to write.
			for s.flushUse(last, time.Second) && last.Err() == nil {
				select {
				case <-last.Done():
				case <-time.After(100 * time.Millisecond):
				}
			}
			return
		}
	}
}

// flushUse writes what is news to the status of the directories. It reports whether something is left to be tried again,
// because somebody else wrote at the same time.
func (s *Store) flushUse(ctx context.Context, resolution time.Duration) (again bool) {
	var directories []*v1alpha1.ScimDirectory
	s.index.mu.RLock()
	for _, d := range s.directories.objects {
		directories = append(directories, d)
	}
	s.index.mu.RUnlock()
	for _, d := range directories {
		report, news := mergeUse(d, s.uses.seen(directoryKey{d.Namespace, d.Name}, d.Spec.Tokens), resolution)
		if !news {
			continue
		}
		err := s.client.Status().Apply(ctx, ac.ScimDirectory(d.Name, d.Namespace).WithResourceVersion(d.ResourceVersion).WithStatus(report),
			client.FieldOwner(useFieldManager), client.ForceOwnership)
		switch {
		case apierrors.IsConflict(err):
			again = true
		case err != nil && !apierrors.IsNotFound(err):
			s.options.Log.Error(err, "The use of tokens is not reported", "namespace", d.Namespace, "directory", d.Name)
		}
	}
	// Not by those of above: a directory that is new since then may have been used already.
	s.uses.keep(func(key directoryKey) bool {
		s.index.mu.RLock()
		defer s.index.mu.RUnlock()
		_, exists := s.directories.objects[client.ObjectKey{Namespace: key.namespace, Name: key.name}]
		return exists
	})
	return again
}
