package docs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Every page", func() {
	It("has only blocks that are proven, and commands that there are", func() {
		var wrong []string
		for _, p := range pages {
			for _, b := range p.blocks {
				wrong = append(wrong, complaints(p, b)...)
			}
			for _, span := range p.spans {
				if err := proveSpan(span.text); err != nil {
					wrong = append(wrong, fmt.Sprintf("%s:%d: `%s`: %v", p.path, span.line, span.text, err))
				}
			}
		}
		Expect(wrong).To(BeEmpty(), strings.Join(wrong, "\n"))
	})

	It("links to what is there", func() {
		byPath := map[string]page{}
		for _, p := range pages {
			byPath[p.path] = p
		}
		var wrong []string
		for _, p := range pages {
			for _, link := range p.links {
				target, fragment, _ := strings.Cut(link.text, "#")
				if strings.Contains(target, ":") {
					continue // somebody else's
				}
				file := p.path
				if target != "" {
					file = path.Join(path.Dir(p.path), target)
				}
				_, err := os.Stat(filepath.Join(root, file))
				to, read := byPath[file]
				if err != nil || strings.HasPrefix(file, "..") || fragment != "" && read && !to.anchors[fragment] {
					wrong = append(wrong, fmt.Sprintf("%s:%d: %s leads nowhere", p.path, link.line, link.text))
				}
			}
		}
		Expect(wrong).To(BeEmpty(), strings.Join(wrong, "\n"))
	})

	It("is listed in the table of contents", func() {
		content, err := os.ReadFile(filepath.Join(root, "docs", "README.md"))
		Expect(err).NotTo(HaveOccurred())
		for _, p := range pages {
			if name, below := strings.CutPrefix(p.path, "docs/"); below && name != "README.md" {
				Expect(string(content)).To(MatchRegexp(`\(%s[#)]|\(%s/`, regexp.QuoteMeta(name), regexp.QuoteMeta(path.Dir(name))), p.path)
			}
		}
	})
})

// complaints says what is wrong with a block.
func complaints(p page, b block) (wrong []string) {
	complain := func(line int, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s:%d: %v", p.path, line, err))
		}
	}
	switch b.language {
	case "console":
		steps, err := b.session()
		complain(b.line, err)
		for _, s := range steps {
			complain(s.line, proveCommand(s.command))
			if b.is("elsewhere") {
				complain(s.line, unplayable(s.command))
			}
		}
		if b.played() && !hasScene(p.path, b.heading) {
			complain(b.line, fmt.Errorf("nobody plays what is shown under %q: write a scene", b.heading))
		}
	case "json", "jsonl":
		decoder := json.NewDecoder(strings.NewReader(b.text))
		for {
			var value any
			err := decoder.Decode(&value)
			if errors.Is(err, io.EOF) {
				break
			}
			if complain(b.line, err); err != nil {
				break
			}
		}
	case "mermaid":
		if !regexp.MustCompile(`^(flowchart|sequenceDiagram|stateDiagram)`).MatchString(b.text) {
			complain(b.line, fmt.Errorf("no drawing begins with %q", firstLine(b.text)))
		}
	case "yaml": // see manifests_test.go
	case "":
		if regexp.MustCompile(`(?m)^\s*(\$ |kubectl |helm |make )`).MatchString(b.text) {
			complain(b.line, fmt.Errorf("a command in a block without a language: make it a console block"))
		}
	default:
		complain(b.line, fmt.Errorf("nobody can tell whether a block of %s is right: have hack/docs prove it", b.language))
	}
	return wrong
}

// playedBy has the pages that specs of another package play, in a file.
var playedBy = map[string]string{"docs/backup.md": "hack/upgrade/restore_test.go"}

func hasScene(path, heading string) bool {
	if file, others := playedBy[path]; others {
		content, err := os.ReadFile(filepath.Join(root, file))
		return err == nil && strings.Contains(string(content), filepath.Base(path)) && strings.Contains(string(content), strconv.Quote(heading))
	}
	return slices.ContainsFunc(scenes, func(s scene) bool { return s.path == path && s.heading == heading })
}

// absent are programs that do not run where the specs do, and long what takes too long for a spec: CI, or whoever measures, runs
// these by themselves.
var (
	absent = []string{"docker", "kind", "velero"}
	long   = regexp.MustCompile(`^(\w+=\S+ )*(make (run|test|bench|bench-quick|chaos|baseline|lint|docker-build)|go (test|run \./hack/bench)|hack/fuzz\.sh)\b`)
)

// unplayable says why a command should be played, if it should.
func unplayable(command string) error {
	all, err := calls(command)
	if err != nil {
		return err
	}
	if long.MatchString(command) || slices.ContainsFunc(all, func(words []string) bool { return slices.Contains(absent, words[0]) }) {
		return nil
	}
	return fmt.Errorf("this can be played: %s", firstLine(command))
}

func proveCommand(command string) error {
	all, err := calls(command)
	if err != nil {
		return err
	}
	for _, words := range all {
		if err := known.prove(words); err != nil {
			return err
		}
	}
	return nil
}

// bareFlag is a flag that is named without its program.
var bareFlag = regexp.MustCompile(`^(--[a-z][a-z-]+)(=\S*)?$`)

// strangers are flags of other programs that are named without them.
var strangers = map[string]bool{"--event-ttl": true, "--server-side": true, "--force-conflicts": true}

func proveSpan(span string) error {
	switch {
	case regexp.MustCompile(`^(make|kubectl|helm|go run|go test) [a-z./-]`).MatchString(span):
		return proveCommand(span)
	case bareFlag.MatchString(span):
		flag := bareFlag.FindStringSubmatch(span)[1]
		if !strangers[flag] && !ownFlags()[flag] {
			return fmt.Errorf("neither scim-operator nor kubectl scim has the flag %s", flag)
		}
	case inTree.MatchString(span):
		return known.proveFiles([]string{span})
	}
	return nil
}

// ownFlags are the flags of both programs.
func ownFlags() map[string]bool {
	flags := map[string]bool{}
	add := func(out string) {
		for _, name := range regexp.MustCompile(`(?m)^ +(?:-\w, )?-?(-[a-z][a-z-]+)`).FindAllStringSubmatch(out, -1) {
			flags["-"+strings.Replace(name[1], "--", "-", 1)] = true
		}
	}
	out, err := known.help(installed.Binary, nil)
	Expect(err).NotTo(HaveOccurred())
	add(out)
	var walk func(words []string)
	walk = func(words []string) {
		out, err := known.help(known.plugin, words)
		Expect(err).NotTo(HaveOccurred())
		add(out)
		_, list, _ := strings.Cut(out, "Available Commands:\n")
		list, _, _ = strings.Cut(list, "\n\n")
		for line := range strings.Lines(list) {
			walk(append(slices.Clip(words), strings.Fields(line)[0]))
		}
	}
	walk(nil)
	return flags
}

func run(ctx context.Context, program string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = root
	out, err := command.CombinedOutput()
	return string(out), err
}
