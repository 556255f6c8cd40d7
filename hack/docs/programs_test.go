package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// strange are programs that are not ours and not run here: of these only the grammar of the shell is proven.
var strange = []string{
	"awk", "base64", "cat", "cd", "curl", "cut", "date", "diff", "docker", "echo", "exit", "export", "git", "grep", "head", "jq", "kind", "kubeseal", "mkdir",
	"openssl", "printf", "read", "sed", "set", "sha256sum", "sort", "tail", "tee", "test", "velero",
}

// programs proves that what is called exists as it is called.
type programs struct {
	root          string
	kubectl, helm string
	jq            string
	plugin        string // kubectl-scim
	makeTargets   map[string]bool
	chartValues   map[string]bool
	kinds         map[string]bool // of what kubectl can be asked for, by every name

	lock    sync.Mutex
	answers map[string]string
}

// prove returns an error that says what does not exist.
func (p *programs) prove(words []string) error {
	if err := p.proveFiles(words); err != nil {
		return err
	}
	switch name := filepath.Base(words[0]); {
	case name == "make":
		return p.proveMake(words[1:])
	case name == "kubectl" && len(words) > 1 && words[1] == "scim":
		return p.proveHelp(p.plugin, words[2:])
	case name == "kubectl":
		return p.proveKubectl(words[1:])
	case name == "helm":
		return p.proveHelm(words[1:])
	case name == "scim-operator":
		return nil // its flags are looked up like all others
	case words[0] == "go", strings.HasPrefix(words[0], "hack/"), slices.Contains(strange, words[0]):
		return nil
	}
	return fmt.Errorf("nobody can tell whether %q is right: have hack/docs prove it", words[0])
}

// inTree is the beginning of what is a path in this repository, and is there without being built.
var inTree = regexp.MustCompile(`^(\./)?(api|cli|config|controllers|docs|hack|scimserver|\.ci|\.github)/[^*<>{}…$=:, ]*$`)

func (p *programs) proveFiles(words []string) error {
	for _, word := range words {
		if path := strings.TrimPrefix(word, "--values="); inTree.MatchString(path) {
			if _, err := os.Stat(filepath.Join(p.root, path)); err != nil {
				return fmt.Errorf("there is no %s", path)
			}
		}
	}
	return nil
}

func (p *programs) proveMake(words []string) error {
	for _, word := range words {
		if !strings.Contains(word, "=") && word != "…" && !p.makeTargets[word] {
			return fmt.Errorf("the Makefile has no target %s", word)
		}
	}
	return nil
}

func (p *programs) proveHelm(words []string) error {
	for i, word := range words {
		settings, set := strings.CutPrefix(word, "--set=")
		if i > 0 && words[i-1] == "--set" {
			settings, set = word, true
		}
		if !set || !slices.Contains(words, "config/chart") {
			continue
		}
		for setting := range strings.SplitSeq(settings, ",") {
			name, _, _ := strings.Cut(setting, "=")
			name, _, _ = strings.Cut(name, "[")
			if !p.chartValues[name] {
				return fmt.Errorf("the chart has no value %s", name)
			}
		}
	}
	return p.proveHelp(p.helm, words)
}

// asking are the verbs of kubectl that are followed by a kind of object.
var asking = []string{"annotate", "delete", "describe", "edit", "explain", "get", "label", "patch", "wait"}

func (p *programs) proveKubectl(words []string) error {
	if err := p.proveHelp(p.kubectl, words); err != nil {
		return err
	}
	verb := slices.IndexFunc(words, func(w string) bool { return slices.Contains(asking, w) || w == "events" })
	if verb < 0 {
		return nil
	}
	var named string
	for i := verb + 1; i < len(words) && named == ""; i++ {
		switch word := words[i]; {
		case word == "--for" && words[verb] == "events":
			named = words[i+1]
		case slices.Contains([]string{"-n", "-l", "-o", "-p", "-f", "-k", "--for"}, word):
			i++
		case !strings.HasPrefix(word, "-") && words[verb] != "events":
			named = word
		}
	}
	for kind := range strings.SplitSeq(named, ",") {
		kind, _, _ = strings.Cut(kind, "/")
		if words[verb] == "explain" {
			kind, _, _ = strings.Cut(kind, ".")
		}
		if kind = strings.ToLower(kind); kind != "" && kind != "x" && !p.kinds[kind] {
			return fmt.Errorf("kubectl knows no %s", kind)
		}
	}
	return nil
}

// usage is the line that says how a command is called, such as `kubectl scim token rotate DIRECTORY [NAME] [flags]`.
var usage = regexp.MustCompile(`(?m)^Usage:\n\s+(.+)$`)

// proveHelp has a program read its command and flags, and print its help instead of doing anything.
func (p *programs) proveHelp(program string, words []string) error {
	if i := slices.Index(words, "--"); i >= 0 {
		words = words[:i]
	}
	help, err := p.help(program, words)
	if err != nil {
		return err
	}
	if !strings.Contains(help, "Available Commands:") {
		return nil
	}
	// What was asked for has commands of its own: what follows is one of them, which it does not know, or a flag.
	called := usage.FindStringSubmatch(help)
	if called == nil {
		return fmt.Errorf("%s does not say how it is called", program)
	}
	last := 0
	for i, word := range words {
		if !strings.HasPrefix(word, "-") && slices.Contains(strings.Fields(called[1]), word) {
			last = i + 1
		}
	}
	if last < len(words) && !strings.HasPrefix(words[last], "-") && words[last] != "x" && words[last] != "…" {
		return fmt.Errorf("%s has no command %s", strings.Fields(called[1])[0], words[last])
	}
	return nil
}

func (p *programs) help(program string, words []string) (string, error) {
	key := program + " " + strings.Join(words, " ")
	p.lock.Lock()
	defer p.lock.Unlock()
	if answer, known := p.answers[key]; known {
		return answer, nil
	}
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "…" })
	out, err := exec.Command(program, append(words, "--help")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, firstLine(string(out)))
	}
	p.answers[key] = string(out)
	return string(out), nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
