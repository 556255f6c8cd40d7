package play

import "testing"

func TestPushed(t *testing.T) {
	for _, c := range []struct {
		users, groups int
		want          string
	}{
		{0, 0, "0 users and 0 groups"},
		{1, 1, "1 user and 1 group"},
		{1, 5, "1 user and 5 groups"},
		{50, 1, "50 users and 1 group"},
	} {
		if got := pushed(c.users, c.groups); got != c.want {
			t.Errorf("%d, %d: %q, want %q", c.users, c.groups, got, c.want)
		}
	}
}
