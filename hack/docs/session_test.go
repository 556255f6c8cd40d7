package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// step is a command of a session and what it is said to print.
type step struct {
	command string
	shown   []string
	line    int
}

// session reads a console block. It returns an error when there is output before the first command, or a command that no
// shell can read.
func (b block) session() ([]step, error) {
	var steps []step
	open := false // the last command goes on in the next line
	for i, line := range strings.Split(strings.TrimRight(b.text, "\n"), "\n") {
		if command, prompt := strings.CutPrefix(line, "$ "); prompt && !open {
			steps = append(steps, step{command: command, line: b.line + i})
		} else if len(steps) == 0 {
			return nil, fmt.Errorf("line %d: output before the first command, which begins with `$ `", b.line+i)
		} else if last := &steps[len(steps)-1]; open {
			last.command += "\n" + line
		} else {
			last.shown = append(last.shown, line)
		}
		last := steps[len(steps)-1]
		_, err := parse(last.command)
		open = strings.HasSuffix(last.command, `\`) || syntax.IsIncomplete(err)
		if err != nil && !open {
			return nil, fmt.Errorf("line %d: %w", last.line, err)
		}
	}
	if open {
		return nil, fmt.Errorf("line %d: the command does not end", steps[len(steps)-1].line)
	}
	return steps, nil
}

// answers are what the reader is shown to answer to the questions of the command.
func (s step) answers() []string {
	var all []string
	for _, line := range s.shown {
		if _, answer, asked := strings.Cut(line, asks); asked {
			all = append(all, answer)
		}
	}
	return all
}

// fails says whether what a command prints tells of a failure.
func fails(lines []string) bool { return slices.ContainsFunc(lines, refusal.MatchString) }

// refusal begins an error, or is what `kubectl auth can-i` answers when it fails.
var refusal = regexp.MustCompile(`^([Ee]rror: |Error from server |no$)`)

func parse(command string) (*syntax.File, error) {
	return syntax.NewParser().Parse(strings.NewReader(command+"\n"), "")
}

// calls are the programs that a command calls, each with its arguments. What the shell puts in is an x.
func calls(command string) ([][]string, error) {
	file, err := parse(placeholder.ReplaceAllString(command, "x"))
	if err != nil {
		return nil, err
	}
	var all [][]string
	syntax.Walk(file, func(node syntax.Node) bool {
		if call, ok := node.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			var words []string
			for _, word := range call.Args {
				words = append(words, literal(word.Parts))
			}
			all = append(all, words)
		}
		return true
	})
	return all, nil
}

func literal(parts []syntax.WordPart) string {
	var b strings.Builder
	for _, part := range parts {
		switch p := part.(type) {
		case *syntax.Lit:
			b.WriteString(strings.ReplaceAll(p.Value, "\\\n", ""))
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			b.WriteString(literal(p.Parts))
		default:
			b.WriteString("x")
		}
	}
	return b.String()
}
