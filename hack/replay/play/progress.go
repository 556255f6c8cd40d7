package play

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// reporter shows bars to a person and a line per finished act to a log. The
// second function ends the display, also in the middle of an act.
func reporter(out *os.File) (report func(provider.Event), end func()) {
	if term.IsTerminal(int(out.Fd())) {
		return bars(out)
	}
	return lines(out), func() {}
}

func bars(out io.Writer) (report func(provider.Event), end func()) {
	var bar *progressbar.ProgressBar
	report = func(e provider.Event) {
		if e.Done == 0 {
			bar = progressbar.NewOptions(e.Total,
				progressbar.OptionSetWriter(out),
				progressbar.OptionSetDescription(fmt.Sprintf("%-9s  %-23s", e.Player, e.Act)),
				progressbar.OptionSetWidth(30),
				progressbar.OptionShowCount(),
				progressbar.OptionOnCompletion(func() { _, _ = fmt.Fprintln(out) }))
		}
		_ = bar.Set(e.Done)
	}
	end = func() {
		if bar != nil && !bar.IsFinished() {
			_, _ = fmt.Fprintln(out)
		}
	}
	return report, end
}

func lines(out io.Writer) func(provider.Event) {
	return func(e provider.Event) {
		if e.Done == e.Total {
			_, _ = fmt.Fprintf(out, "%-9s  %-23s %d done\n", e.Player, e.Act, e.Total)
		}
	}
}
