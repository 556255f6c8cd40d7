package openfga

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

// Whichever are bad, the others are done, each once, in calls that are bounded.
func TestApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bad := rapid.SliceOfN(rapid.Bool(), 0, maxChanges).Draw(t, "bad")
		var all, good, wrong []targets.Grant
		for i, is := range bad {
			g := targets.Grant{Subject: fmt.Sprint(i), Entitlement: "shop:x#owner"}
			all = append(all, g)
			if is {
				wrong = append(wrong, g)
			} else {
				good = append(good, g)
			}
		}
		calls := 0
		var carried []targets.Grant
		done, no, err := apart(all, func(part []targets.Grant) error {
			calls++
			if slices.ContainsFunc(part, func(g targets.Grant) bool { return slices.Contains(wrong, g) }) {
				return &rejection{"validation_error"}
			}
			carried = append(carried, part...)
			return nil
		})
		if err != nil || !slices.Equal(done, good) || !slices.Equal(carried, good) || !slices.Equal(no.grants(), wrong) {
			t.Errorf("done %v, rejected %v, %v", done, no.grants(), err)
		}
		if calls > 2*len(all) || len(wrong) == 0 && calls > 1 {
			t.Errorf("%d calls for %d of which %d are bad", calls, len(all), len(wrong))
		}
	})
}

func TestApartEndsWhenTheServerIsDown(t *testing.T) {
	all := make([]targets.Grant, 8)
	for i := range all {
		all[i].Subject = fmt.Sprint(i)
	}
	down, calls := errors.New("down"), 0
	done, no, err := apart(all, func(part []targets.Grant) error {
		calls++
		switch {
		case len(part) == len(all):
			return &rejection{"validation_error"}
		case part[0] == all[0]:
			return nil
		default:
			return down
		}
	})
	if !errors.Is(err, down) || calls != 3 || len(no) != 0 || !slices.Equal(done, all[:4]) {
		t.Errorf("done %v, rejected %v, %v, %d calls", done, no, err, calls)
	}
}

func TestRejectionsSpeakOfTheFirst(t *testing.T) {
	one := rejected{targets.Grant{Subject: "user:ada", Entitlement: "shop:x#owner"}, &rejection{"validation_error"}}
	for n, want := range map[int]string{
		1: "OpenFGA refuses to write a tuple of shop:x#owner: validation_error",
		3: "OpenFGA refuses to write 3 tuples, one of them of shop:x#owner: validation_error",
	} {
		err := rejections(slices.Repeat([]rejected{one}, n)).asError("write")
		if !targets.IsRefused(err) || err.Error() != want {
			t.Errorf("%v", err)
		}
	}
	if err := (rejections{}).asError("write"); err != nil {
		t.Error(err)
	}
}
