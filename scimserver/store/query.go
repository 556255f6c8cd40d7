package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/btree"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// Query selects a page of a directory's resources (RFC 7644 §3.4.2). The list that it is a page of has all selected users
// and then all selected groups, each in order of creation, unless it is sorted.
type Query struct {
	// Users and Groups select among the users and among the groups; nil selects none.
	Users  *UserQuery
	Groups *GroupQuery
	// Compare, unless nil, sorts the list by what SortKey returns; equal ones stay in their order.
	Compare func(a, b string) int
	// Start is the place of the first resource of the page in the list, from 0.
	Start int
	// After, unless nil, takes the place of Start: the page begins behind that position.
	After *Position
	// Count is the most resources to return.
	Count int
}

// Position is the place of a resource in a list. It stays valid when the resource is gone.
type Position struct {
	SortKey      string // empty where the list is not sorted
	ResourceType string // User or Group
	Created      time.Time
	ID           string
}

// Page is a part of a list.
type Page struct {
	// Total is how many resources the list has.
	Total int
	// Last is the position of the page's last resource; nil if the list ends there.
	Last *Position

	directory *Directory
	hits      []hit
	// members says that groups are shown with their members.
	members bool
	// user is the last that was asked for. Hundreds of them would be garbage right after.
	user User
	meta Meta
}

// Len is how many resources the page has.
func (p *Page) Len() int { return len(p.hits) }

// ID is that of the resource at a place of the page, from 0.
func (p *Page) ID(place int) string { return p.hits[place].ID }

// Resource returns the resource at a place of the page, from 0: a *User, which is valid until the next call, or a *Group. It
// returns an error for a group whose members cannot be seen in whole.
func (p *Page) Resource(ctx context.Context, place int) (Resource, error) {
	switch obj := p.hits[place].object.(type) {
	case *v1alpha1.ScimUser:
		p.directory.showUser(ctx, obj, &p.user, &p.meta)
		return &p.user, nil
	case *v1alpha1.ScimGroup:
		return p.directory.presentGroup(ctx, obj, p.members)
	default:
		return nil, fmt.Errorf("a list has no %T", obj)
	}
}

// List returns a page of the resources that the query selects.
func (d *Directory) List(ctx context.Context, q Query) (*Page, error) {
	c := collection{query: q}
	if q.Users != nil {
		s := selection[*v1alpha1.ScimUser]{kind: d.store.users, all: q.Users.Key == nil, look: d.lookAtUsers(ctx, q.Users)}
		if !s.all {
			s.among = lookup(d, s.kind, *q.Users.Key)
		}
		if err := collect(d, s, &c); err != nil {
			return nil, err
		}
	}
	if q.Groups != nil {
		s := selection[*v1alpha1.ScimGroup]{kind: d.store.groups, all: q.Groups.Key == nil, look: d.lookAtGroups(ctx, q.Groups)}
		switch {
		case s.all:
		case q.Groups.Key.Attribute == "members.value" && d.policy().groups.Importable == v1alpha1.ImportableNone:
			// Who is named is the member, not the group.
		case q.Groups.Key.Attribute == "members.value":
			s.among = d.groupsWithMember(ctx, q.Groups.Key.Value)
		default:
			s.among = lookup(d, s.kind, *q.Groups.Key)
		}
		if err := collect(d, s, &c); err != nil {
			return nil, err
		}
	}
	hits, more := c.page()
	page := &Page{Total: c.total, directory: d, hits: hits, members: q.Groups != nil && q.Groups.Members}
	if more && len(hits) > 0 {
		page.Last = &hits[len(hits)-1].Position
	}
	return page, nil
}

// selection is what a query selects of one kind.
type selection[T client.Object] struct {
	kind kind[T]
	// all objects are candidates, or those among.
	all   bool
	among []T
	// look says whether a candidate is selected and what it is sorted by; nil selects each and sorts by nothing.
	look func(T) (selected bool, sortKey string, err error)
}

// look asks of one resource what a query asks of all.
func look[R any](resource R, match func(R) bool, sortBy func(R) string) (selected bool, sortKey string) {
	if match != nil && !match(resource) {
		return false, ""
	}
	if sortBy == nil {
		return true, ""
	}
	return true, sortBy(resource)
}

// collect adds to the collection what is selected of one kind. It holds the index's lock only to look up what to go
// through: what it goes through is a snapshot, so that a long filter does not hold up writers.
func collect[T client.Object](d *Directory, s selection[T], c *collection) error {
	if s.all && s.look == nil {
		d.read(func(ix *directoryIndex) { window(listed(ix, s.kind), s.kind, c) })
		return nil
	}
	candidates := slices.Values(s.among)
	if s.all {
		d.read(func(ix *directoryIndex) { candidates = listed(ix, s.kind).Copy().Scan })
	}
	for obj := range candidates {
		selected, sortKey := true, ""
		if s.look != nil {
			var err error
			if selected, sortKey, err = s.look(obj); err != nil {
				return err
			}
		}
		if selected {
			c.add(hit{s.kind.position(obj, sortKey), obj})
		}
	}
	return nil
}

// window adds all of an order as add does, without a look at those that are not on the page.
func window[T client.Object](order *btree.BTreeG[T], k kind[T], c *collection) {
	var objects []T
	room := c.room()
	switch after := c.query.After; {
	case after == nil:
		objects = pageAt(order, max(c.query.Start-c.total, 0), room)
	case after.ResourceType == k.resourceType:
		pivot := k.empty()
		pivot.SetName(after.ID)
		pivot.SetCreationTimestamp(metav1.NewTime(after.Created))
		objects = pageAfter(order, pivot, room)
	case compareTypes(k.resourceType, after.ResourceType) > 0:
		objects = pageAt(order, 0, room)
	}
	c.hits = slices.Grow(c.hits, len(objects))
	for _, obj := range objects {
		c.hits = append(c.hits, hit{k.position(obj, ""), obj})
	}
	c.total += order.Len()
}

// hit is an object that is selected.
type hit struct {
	Position
	object client.Object
}

func (k kind[T]) position(obj T, sortKey string) Position {
	return Position{SortKey: sortKey, ResourceType: k.resourceType, Created: obj.GetCreationTimestamp().Time, ID: obj.GetName()}
}

// collection is what a query has found. Where the list is not sorted the hits come in its order, and only those on the page
// are kept, and one more, if there is one, which tells that the page is not the last.
type collection struct {
	query Query
	hits  []hit
	total int
}

func (c *collection) add(h hit) {
	if c.query.Compare != nil || c.begun(h, c.total) && c.room() > 0 {
		c.hits = append(c.hits, h)
	}
	c.total++
}

// begun reports whether the page has begun with the hit at this place of the list.
func (c *collection) begun(h hit, place int) bool {
	if c.query.After != nil {
		return c.query.compare(h.Position, *c.query.After) > 0
	}
	return place >= c.query.Start
}

func (c *collection) room() int { return c.query.Count + 1 - len(c.hits) }

// page returns the hits on the page, and whether more follow.
func (c *collection) page() (hits []hit, more bool) {
	hits = c.hits
	if c.query.Compare != nil {
		slices.SortFunc(hits, func(a, b hit) int { return c.query.compare(a.Position, b.Position) })
		place := 0
		hits = slices.DeleteFunc(hits, func(h hit) bool {
			place++
			return !c.begun(h, place-1)
		})
	}
	more = len(hits) > c.query.Count
	return hits[:min(len(hits), c.query.Count)], more
}

// compare puts two positions in the order of the list.
func (q *Query) compare(a, b Position) int {
	if q.Compare != nil {
		if c := q.Compare(a.SortKey, b.SortKey); c != 0 {
			return c
		}
	}
	return cmp.Or(compareTypes(a.ResourceType, b.ResourceType), a.Created.Compare(b.Created), strings.Compare(a.ID, b.ID))
}

// compareTypes puts User before Group.
func compareTypes(a, b string) int { return strings.Compare(b, a) }

// lookup returns the objects with the key that are not hidden, in order of creation.
func lookup[T client.Object](d *Directory, k kind[T], by Key) (found []T) {
	d.read(func(ix *directoryIndex) {
		found = slices.DeleteFunc(slices.Clone(k.table(ix).lookup(by)), func(obj T) bool { return hidden(k.importable(ix.policy), obj) })
	})
	slices.SortFunc(found, compareCreation)
	return found
}

// lookup returns the objects with the key, in no order.
func (t *table[T]) lookup(k Key) []T {
	switch k.Attribute {
	case "id":
		if obj, ok := t.byName[k.Value]; ok {
			return []T{obj}
		}
		return nil
	case "externalId":
		return t.byKey[k]
	default:
		return t.byKey[Key{k.Attribute, schema.Fold(k.Value)}]
	}
}
