package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/scim-operator/scim-operator/cli/view"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// text is words with the colour that they have on a terminal.
type text struct{ words, colour string }

func plain(words string) text { return text{words: words} }
func good(words string) text  { return text{words, "32"} }
func bad(words string) text   { return text{words, "31"} }
func warn(words string) text  { return text{words, "33"} }
func bold(words string) text  { return text{words, "1"} }

// String is the words as they are safe to show.
func (t text) String() string { return view.Printable(t.words) }

func (s *session) paint(t text) string {
	if !s.colours || t.colour == "" {
		return t.String()
	}
	return "\x1b[" + t.colour + "m" + t.String() + "\x1b[0m"
}

// line prints a line; strings among the arguments are shown as plain text.
func (s *session) line(format string, arguments ...any) {
	for i, a := range arguments {
		switch a := a.(type) {
		case string:
			arguments[i] = plain(a).String()
		case text:
			arguments[i] = s.paint(a)
		}
	}
	fmt.Fprintf(os.Stdout, format+"\n", arguments...)
}

// remark says something beside the output, so that the output can be used by programs.
func remark(format string, arguments ...any) {
	fmt.Fprintln(os.Stderr, plain(fmt.Sprintf(format, arguments...)))
}

// confirm asks the person at the terminal. Without a terminal it returns an error that names the flag to give.
func confirm(question string) error {
	if !isTerminal(os.Stdin) {
		return errors.New("nobody can be asked here: " + question + " Give --yes to say so beforehand")
	}
	fmt.Fprintf(os.Stderr, "%s [y/N] ", plain(question))
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}
