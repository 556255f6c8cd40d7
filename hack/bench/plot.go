package main

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// One panel of a plot, in pixels; the margins hold the labels.
const (
	panelWidth, panelHeight                          = 250, 210
	marginLeft, marginRight, marginTop, marginBottom = 44, 14, 30, 40
)

// plot draws each curve in a panel of its own, the size on a logarithmic scale, the cost on a linear one that begins at
// zero: a line that stays level is a cost that does not grow. A bar shows the least and the greatest of the turns.
func plot(curves []curve) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" font-family="sans-serif" font-size="11">`,
		panelWidth*len(curves), panelHeight)
	b.WriteString("\n<title>Cost against size</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n")
	for i, c := range curves {
		fmt.Fprintf(&b, "<g transform=\"translate(%d 0)\">\n", i*panelWidth)
		c.draw(&b)
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (c curve) draw(b *strings.Builder) {
	first, last := math.Log10(float64(c.Points[0].Size)), math.Log10(float64(c.Points[len(c.Points)-1].Size))
	highest := 0.0
	for _, p := range c.Points {
		highest = max(highest, slices.Max(p.Cost))
	}
	top := niceAbove(highest * 1.1)
	x := func(size int) float64 {
		return marginLeft + (math.Log10(float64(size))-first)/cmp.Or(last-first, 1)*(panelWidth-marginLeft-marginRight)
	}
	y := func(cost float64) float64 {
		return panelHeight - marginBottom - cost/top*(panelHeight-marginTop-marginBottom)
	}
	text := func(x, y float64, anchor, words string) {
		fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=%q fill=\"#333\">%s</text>\n", x, y, anchor, html.EscapeString(words))
	}
	line := func(x1, y1, x2, y2 float64, color string) {
		fmt.Fprintf(b, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=%q/>\n", x1, y1, x2, y2, color)
	}
	text(marginLeft, marginTop-12, "start", c.Name+", "+c.Unit)
	for _, part := range []float64{0, 0.5, 1} {
		line(marginLeft, y(part*top), panelWidth-marginRight, y(part*top), "#ddd")
		text(marginLeft-6, y(part*top)+4, "end", fmt.Sprintf("%.3g", part*top))
	}
	var path []string
	for _, p := range c.Points {
		sorted := slices.Sorted(slices.Values(p.Cost))
		middle := median(sorted)
		line(x(p.Size), y(sorted[0]), x(p.Size), y(sorted[len(sorted)-1]), "#1f6feb")
		fmt.Fprintf(b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"#1f6feb\"/>\n", x(p.Size), y(middle))
		text(x(p.Size), panelHeight-marginBottom+16, "middle", sizeInWords(p.Size))
		path = append(path, fmt.Sprintf("%.1f,%.1f", x(p.Size), y(middle)))
	}
	fmt.Fprintf(b, "<polyline points=%q fill=\"none\" stroke=\"#1f6feb\" stroke-width=\"1.5\"/>\n", strings.Join(path, " "))
	text((marginLeft+panelWidth-marginRight)/2, panelHeight-8, "middle", c.Of)
}

// niceAbove is the next number above v that begins with 1, 2 or 5.
func niceAbove(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 5} {
		if n*unit >= v {
			return n * unit
		}
	}
	return 10 * unit
}

func sizeInWords(n int) string {
	if n >= 1000 && n%1000 == 0 {
		return fmt.Sprintf("%d,000", n/1000)
	}
	return fmt.Sprint(n)
}

// writePlot draws the curves into the folder, if there are any.
func writePlot(dir string, curves []curve) error {
	if len(curves) == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, "sizes.svg"), []byte(plot(curves)), 0o644)
}
