package scimserver

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSchedule(t *testing.T) {
	for name, c := range map[string]struct{ needs, want [][]int }{
		"nothing":                              {[][]int{}, [][]int{}},
		"the order of the request":             {[][]int{{}, {}, {}}, [][]int{{0}, {1}, {2}}},
		"a target that is there already":       {[][]int{{}, {0}}, [][]int{{0}, {1}}},
		"only what refers to a later one":      {[][]int{{2}, {}, {}, {}}, [][]int{{1}, {2}, {0}, {3}}},
		"one that waits for several":           {[][]int{{1, 3}, {}, {}, {}}, [][]int{{1}, {2}, {3}, {0}}},
		"a chain backwards":                    {[][]int{{1}, {2}, {}}, [][]int{{2}, {1}, {0}}},
		"itself":                               {[][]int{{0}, {}}, [][]int{{0}, {1}}},
		"a circle":                             {[][]int{{2}, {}, {0}}, [][]int{{0, 2}, {1}}},
		"a circle that waits for what it uses": {[][]int{{1}, {0, 2}, {}}, [][]int{{2}, {0, 1}}},
		"one that waits for a circle":          {[][]int{{1}, {2}, {1}}, [][]int{{1, 2}, {0}}},
		"circles that share an operation":      {[][]int{{1}, {0, 2}, {1}}, [][]int{{0, 1, 2}}},
	} {
		if got := schedule(c.needs); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// Whatever refers to whatever: every operation is carried out once, after what it needs, and two are one step exactly when
// each needs the other, directly or not.
func TestScheduleIsComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "operations")
		needs := make([][]int, n)
		for i := range needs {
			needs[i] = rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, min(n, 3), rapid.ID).Draw(t, "needs")
		}
		reaches := make([][]bool, n)
		for i := range reaches {
			reaches[i] = make([]bool, n)
			for todo := slices.Clone(needs[i]); len(todo) > 0; {
				next := todo[0]
				todo = todo[1:]
				if !reaches[i][next] {
					reaches[i][next] = true
					todo = append(todo, needs[next]...)
				}
			}
		}
		done := map[int]int{} // in which step
		for s, step := range schedule(needs) {
			for _, i := range step {
				if _, twice := done[i]; twice {
					t.Fatalf("%d is carried out twice", i)
				}
				done[i] = s
			}
			for _, i := range step {
				for _, target := range needs[i] {
					if _, ok := done[target]; !ok {
						t.Fatalf("%d comes before %d, which it needs", i, target)
					}
				}
			}
		}
		if len(done) != n {
			t.Fatalf("%d of %d are carried out", len(done), n)
		}
		for i := range n {
			for j := range n {
				if circle := i == j || reaches[i][j] && reaches[j][i]; circle != (done[i] == done[j]) {
					t.Fatalf("%d and %d: a circle %v, one step %v", i, j, circle, done[i] == done[j])
				}
			}
		}
	})
}
