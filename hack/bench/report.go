package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// comparison is what two sides measured, turn by turn.
type comparison struct {
	Ours []float64 `json:"ours"`
	Peer []float64 `json:"peer"`
}

// ratios are ours to the peer's, turn by turn, in order of size.
func (c comparison) ratios() []float64 {
	ratios := make([]float64, len(c.Ours))
	for i := range ratios {
		ratios[i] = c.Ours[i] / c.Peer[i]
	}
	slices.Sort(ratios)
	return ratios
}

// figure is one line of the table.
type figure struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	// PeerName is what Ours is compared with.
	PeerName string `json:"peerName"`
	comparison
	// Goal is what the ratio is to be; AtLeast tells whether it is a lower bound or an upper one.
	Goal    float64 `json:"goal"`
	AtLeast bool    `json:"atLeast"`
}

func (f figure) met() bool {
	if f.AtLeast {
		return median(f.ratios()) >= f.Goal
	}
	return median(f.ratios()) <= f.Goal
}

type report struct {
	Users   int      `json:"users"`
	Members int      `json:"members"`
	Rounds  int      `json:"rounds"`
	Figures []figure `json:"figures"`
	Curves  []curve  `json:"curves"`
}

// add prints a figure as soon as it is there: a run is long.
func (r *report) add(f figure) {
	r.Figures = append(r.Figures, f)
	fmt.Println(f.row())
}

func (f figure) row() string {
	ratios := f.ratios()
	sign, verdict := "≤", "no"
	if f.AtLeast {
		sign = "≥"
	}
	if f.met() {
		verdict = "yes"
	}
	return fmt.Sprintf("| %s | %s %s | %s %s (%s) | **%.2f** (%.2f to %.2f) | %s %.2f | %s |", f.Name,
		readable(median(slices.Sorted(slices.Values(f.Ours)))), f.Unit,
		readable(median(slices.Sorted(slices.Values(f.Peer)))), f.Unit, f.PeerName,
		median(ratios), ratios[0], ratios[len(ratios)-1], sign, f.Goal, verdict)
}

// table is the report in Markdown.
func (r *report) table() string {
	lines := []string{
		fmt.Sprintf("%d users, a group of %d members, medians of %d turns; ratios with least and greatest.\n", r.Users, r.Members, r.Rounds),
		"| | ours | beside | ratio | goal | met |", "|---|---|---|---|---|---|",
	}
	for _, f := range r.Figures {
		lines = append(lines, f.row())
	}
	return strings.Join(lines, "\n") + "\n"
}

// write writes the report into a folder.
func (r *report) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "results.md"), []byte(r.table()), 0o644); err != nil {
		return err
	}
	if err := writePlot(dir, r.Curves); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	fmt.Printf("\n%s\nThe same is in %s.\n", r.table(), dir)
	return os.WriteFile(filepath.Join(dir, "results.json"), raw, 0o644)
}

const (
	beginMark = "<!-- what make bench wrote -->\n"
	endMark   = "<!-- end of what make bench wrote -->\n"
)

// publish puts the table and the plot into the page about performance in a folder of documentation.
func (r *report) publish(docs string) error {
	page := filepath.Join(docs, "performance.md")
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), beginMark)
	_, after, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return fmt.Errorf("%s does not say where the table belongs: between %q and %q", page, beginMark, endMark)
	}
	if err := os.WriteFile(page, []byte(before+beginMark+"\n"+r.table()+"\n"+endMark+after), 0o644); err != nil {
		return err
	}
	images := filepath.Join(docs, "images")
	if err := os.MkdirAll(images, 0o755); err != nil {
		return err
	}
	return writePlot(images, r.Curves)
}

// median of sorted values.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// readable has three digits that mean something.
func readable(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
