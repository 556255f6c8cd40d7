package webhook

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

const (
	snapshotKind = "snapshot"
	// pagePeople and pageBytes bound a page of a snapshot.
	pagePeople = 500
	pageBytes  = 512 << 10
)

// snapshot is everybody and all roles at one time, in pages.
type snapshot struct {
	calls []call
	on    entryOfSnapshot
}

// page is what one call of a snapshot tells.
type page struct {
	Namespace string       `json:"namespace"`
	Target    string       `json:"target"`
	Snapshot  pageNumber   `json:"snapshot"`
	Sequences []sequence   `json:"sequences"`
	Roles     []roleData   `json:"roles,omitempty"` // on the first page only
	People    []personData `json:"people"`
}

type pageNumber struct {
	ID    string `json:"id"`
	Page  int    `json:"page"`
	Pages int    `json:"pages"`
}

// sequence is the last number of a directory's events that the snapshot knows of.
type sequence struct {
	Directory string `json:"directory"`
	Last      int64  `json:"last"`
}

// entryOfSnapshot is what is on record about the last snapshot: when and where it was sent, and what had asked for it.
type entryOfSnapshot struct {
	at        time.Time
	to, asked string
}

const (
	atPrefix    = "at/"
	toPrefix    = "to/"
	askedPrefix = "asked/"
)

func (o entryOfSnapshot) facts() []string {
	return []string{askedPrefix + o.asked, atPrefix + o.at.UTC().Format(time.RFC3339), toPrefix + o.to}
}

func readSnapshot(facts []string) entryOfSnapshot {
	var o entryOfSnapshot
	for _, f := range facts {
		if at, is := strings.CutPrefix(f, atPrefix); is {
			o.at, _ = time.Parse(time.RFC3339, at) // what cannot be read was long ago
		} else if to, is := strings.CutPrefix(f, toPrefix); is {
			o.to = to
		} else if asked, is := strings.CutPrefix(f, askedPrefix); is {
			o.asked = asked
		}
	}
	return o
}

// due says whether a snapshot is to be sent after the last one: when somebody asks for one, and unless the interval is 0, when
// the receiver is another one, or the interval has passed.
func due(last, now entryOfSnapshot, every time.Duration) bool {
	if now.asked != last.asked && now.asked != "" {
		return true
	}
	return every > 0 && (now.to != last.to || now.at.Sub(last.at) >= every)
}

func (s *system) snapshotNow() entryOfSnapshot {
	return entryOfSnapshot{
		at: s.clock.Now(), to: digest(s.target.Spec.Webhook.URL), asked: digest(s.target.Annotations[v1alpha1.SnapshotAnnotation]),
	}
}

// digest stands for a text of any length; none for none.
func digest(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// Unsettled says whether a snapshot is due, or not sent in full.
func (s *system) Unsettled() bool {
	if s.target.DeletionTimestamp != nil {
		return false
	}
	return s.snapshot != nil || due(readSnapshot(s.ledger.Entry(snapshotSubject).Grants), s.snapshotNow(), s.every)
}

// Settle sends one page. A snapshot is taken when nothing is left to be told, so that what is wanted is what the receiver
// was told; changes that come while its pages are sent are told between them, with higher numbers than the snapshot's.
func (s *system) Settle(ctx context.Context) error {
	if s.snapshot == nil {
		s.snapshot = s.take(s.snapshotNow())
	}
	if err := s.post(ctx, s.snapshot.calls[0]); err != nil {
		return err
	}
	if s.snapshot.calls = s.snapshot.calls[1:]; len(s.snapshot.calls) > 0 {
		return nil
	}
	on := s.snapshot.on
	s.snapshot = nil
	return s.ledger.Put(ctx, v1alpha1.LedgerEntry{Subject: snapshotSubject, Grants: on.facts()})
}

// take is a snapshot of what is wanted.
func (s *system) take(on entryOfSnapshot) *snapshot {
	people := slices.SortedFunc(maps.Values(s.people), func(a, b targets.Person) int { return cmp.Compare(a.ID, b.ID) })
	pages := pagesOf(people)
	roles := make([]roleData, 0, len(s.roles))
	for _, r := range s.roles {
		roles = append(roles, roleData{r.Name, r.DisplayName})
	}
	sequences := []sequence{}
	last := s.ledger.Sequences()
	for _, directory := range slices.Sorted(maps.Keys(last)) {
		sequences = append(sequences, sequence{directory, last[directory]})
	}
	id := strings.Replace(s.idOf(snapshotKind, on.at.Format(time.RFC3339Nano)), "msg_", "snap_", 1)
	taken := &snapshot{on: on}
	for i, people := range pages {
		p := page{
			Namespace: s.target.Namespace, Target: s.target.Name,
			Snapshot: pageNumber{id, i + 1, len(pages)}, Sequences: sequences, People: people,
		}
		if i == 0 {
			p.Roles = roles
		}
		taken.calls = append(taken.calls, call{
			id:      s.idOf(snapshotKind, id, strconv.Itoa(i)),
			message: message{Type: snapshotKind, Timestamp: on.at.UTC().Format(time.RFC3339), Data: p},
		})
	}
	return taken
}

// pagesOf are people in pages, at least one.
func pagesOf(people []targets.Person) [][]personData {
	pages := [][]personData{{}}
	bytes := 0
	for _, p := range people {
		told := personData{
			ID: p.ID, Directory: &p.Directory, UserName: p.UserName, Email: p.Email, DisplayName: p.DisplayName,
			ExternalID: p.ExternalID, Active: p.Active, Roles: append([]string{}, knownOf(factsOf(p)).roles...),
		}
		size := len(p.UserName) + len(p.Email) + len(p.DisplayName) + len(p.ExternalID)
		for _, role := range told.Roles {
			size += len(role)
		}
		page := &pages[len(pages)-1]
		if len(*page) == pagePeople || len(*page) > 0 && bytes+size > pageBytes {
			pages, bytes = append(pages, []personData{}), 0
			page = &pages[len(pages)-1]
		}
		*page = append(*page, told)
		bytes += size
	}
	return pages
}
