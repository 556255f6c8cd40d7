package docs

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The marks between which a page holds the table of flags.
const (
	flagsBegin = "<!-- Written by `make flags`. -->\n"
	flagsEnd   = "<!-- end of what make flags wrote -->\n"
)

// helped is a flag in what a program prints for --help: its name, kind, meaning and default.
var helped = regexp.MustCompile(`(?m)^  -(\S+)(?: (\S+))?\n    \t(.*?)(?: \(default (.*)\))?$`)

// Flags puts the flags, as the operator prints them for --help, into a page. It returns an error when the page has no place for
// them, or when there are none.
func Flags(page, help string) (string, error) {
	before, rest, found := strings.Cut(page, flagsBegin)
	_, after, ended := strings.Cut(rest, flagsEnd)
	flags := helped.FindAllStringSubmatch(help, -1)
	if !found || !ended {
		return "", errors.New("the page lacks the marks of the table of flags")
	}
	if len(flags) == 0 {
		return "", errors.New("no flags are printed")
	}
	table := &strings.Builder{}
	table.WriteString("\n| Flag | Default | |\n|---|---|---|\n")
	for _, flag := range flags {
		standard := ""
		if flag[4] != "" {
			standard = "`" + strings.Trim(flag[4], `"`) + "`"
		}
		fmt.Fprintf(table, "| `--%s` | %s | %s |\n", flag[1], standard, strings.ReplaceAll(flag[3], "|", `\|`))
	}
	return before + flagsBegin + table.String() + "\n" + flagsEnd + after, nil
}
