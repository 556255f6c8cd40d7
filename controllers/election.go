package controllers

import (
	"cmp"
	"slices"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// candidacy is what the election says about one directory.
type candidacy struct {
	primary bool
	reason  string
	// holder is the directory that is primary, or will be, instead of this one.
	holder string
}

// elect decides whether the directory d is its namespace's primary one, given all directories of the namespace. The one
// that holds it and still asks keeps it, else the oldest that asks gets it. A holder that gave up stays primary until its
// successor is; without a successor it stays only while keep is true.
func elect(d *v1alpha1.ScimDirectory, all []v1alpha1.ScimDirectory, keep bool) candidacy {
	winner := electWinner(all)
	switch {
	case winner != nil && winner.Name == d.Name:
		return candidacy{primary: true, reason: v1alpha1.ReasonElected}
	case winner != nil && d.Status.Primary && !winner.Status.Primary:
		return candidacy{primary: true, reason: v1alpha1.ReasonHandingOver, holder: winner.Name}
	case winner != nil && asks(d):
		return candidacy{reason: v1alpha1.ReasonPrimaryConflict, holder: winner.Name}
	case winner == nil && d.Status.Primary && keep:
		return candidacy{primary: true, reason: v1alpha1.ReasonHandingOver}
	default:
		return candidacy{reason: v1alpha1.ReasonNotRequested}
	}
}

func electWinner(all []v1alpha1.ScimDirectory) *v1alpha1.ScimDirectory {
	var asking []*v1alpha1.ScimDirectory
	for i := range all {
		if asks(&all[i]) {
			asking = append(asking, &all[i])
		}
	}
	return first(asking)
}

// inCharge names the one directory whose users and groups grant access now. While a hand-over leaves two primary, it is
// the successor. It is empty when no directory is primary.
func inCharge(all []v1alpha1.ScimDirectory) string {
	var primary, asking []*v1alpha1.ScimDirectory
	for i := range all {
		d := &all[i]
		if !d.Status.Primary {
			continue
		}
		primary = append(primary, d)
		if asks(d) {
			asking = append(asking, d)
		}
	}
	if d := first(asking); d != nil {
		return d.Name
	}
	if d := first(primary); d != nil {
		return d.Name
	}
	return ""
}

func asks(d *v1alpha1.ScimDirectory) bool { return d.Spec.Primary && !deleting(d) }

// first is the holder among the directories, else the oldest, else the first by name.
func first(directories []*v1alpha1.ScimDirectory) *v1alpha1.ScimDirectory {
	if len(directories) == 0 {
		return nil
	}
	return slices.MinFunc(directories, func(a, b *v1alpha1.ScimDirectory) int {
		if a.Status.Primary != b.Status.Primary {
			if a.Status.Primary {
				return -1
			}
			return 1
		}
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
}
