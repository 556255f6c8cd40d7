package store

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// Folding a sequence of changes into one edit comes to the same as making them one after the other.
func TestFoldChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
		ids := rapid.SliceOfN(id, 0, 4)
		changes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) MemberChange {
			return MemberChange{Op: MemberOp(rapid.IntRange(0, 2).Draw(t, "op")), IDs: ids.Draw(t, "ids")}
		}), 0, 6).Draw(t, "changes")
		members := slices.Compact(slices.Sorted(slices.Values(ids.Draw(t, "members"))))

		want := map[string]bool{}
		for _, m := range members {
			want[m] = true
		}
		for _, c := range changes {
			if c.Op == ReplaceMembers {
				clear(want)
			}
			for _, id := range c.IDs {
				if c.Op == RemoveMembers {
					delete(want, id)
				} else {
					want[id] = true
				}
			}
		}
		edit := foldChanges(changes)
		if got := edit.apply(members); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
			t.Fatalf("got %v, want %v", got, want)
		}

		// Which of the members are groups follows.
		groupsOf := func(ids []string) []string {
			return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id > "c" })
		}
		edit.groups = setOf(groupsOf(slices.Collect(maps.Keys(edit.add))))
		wantGroups := groupsOf(slices.Sorted(maps.Keys(want)))
		if got := edit.applyToGroups(groupsOf(members)); !slices.Equal(got, wantGroups) {
			t.Fatalf("groups: got %v, want %v", got, wantGroups)
		}

		// And so does making the edit shard by shard.
		shards := rapid.Int32Range(1, 8).Draw(t, "shards")
		parts, groups := make([][]string, shards), make([][]string, shards)
		for _, m := range members {
			home := v1alpha1.HomeShard(m, shards)
			parts[home] = append(parts[home], m)
			groups[home] = groupsOf(parts[home])
		}
		for shard, part := range edit.homes(shards) {
			parts[shard] = part.apply(parts[shard])
			groups[shard] = part.applyToGroups(groups[shard])
		}
		if got := slices.Sorted(slices.Values(slices.Concat(groups...))); !slices.Equal(got, wantGroups) {
			t.Fatalf("groups by shards: got %v, want %v", got, wantGroups)
		}
		if got := slices.Sorted(slices.Values(slices.Concat(parts...))); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
			t.Fatalf("by shards: got %v, want %v", got, want)
		}
	})
}

func TestShardsFor(t *testing.T) {
	for members, want := range map[int]int32{0: 1, 250: 1, 251: 2, 500: 2, 501: 4, 100_000: 512, 10_000_000: 1024} {
		if got := shardsFor(members); got != want {
			t.Errorf("%d members: %d shards, want %d", members, got, want)
		}
	}
}
