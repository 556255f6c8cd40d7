package docs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/creack/pty"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// shell is one in which commands are typed one after the other, at a terminal: programs ask who sits there.
type shell struct {
	process  *exec.Cmd
	terminal *os.File
	output   *bufio.Reader
}

// end marks in what is printed that a command has ended.
const end = "hack/docs: ended with "

// openShell starts bash in a folder, for one spec.
func openShell(dir string, env ...string) *shell {
	GinkgoHelper()
	s := &shell{process: exec.Command("bash", "--noprofile", "--norc")}
	s.process.Dir, s.process.Env = dir, env
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	terminal, input, err := pty.Open()
	Expect(err).NotTo(HaveOccurred())
	output, err := s.process.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	s.process.Stdin, s.process.Stderr = input, s.process.Stdout
	Expect(s.process.Start()).To(Succeed())
	Expect(input.Close()).To(Succeed())
	s.terminal, s.output = terminal, bufio.NewReader(output)
	go func() { _, _ = io.Copy(io.Discard, terminal) }() // what is typed comes back from a terminal
	DeferCleanup(func() {
		_ = syscall.Kill(-s.process.Process.Pid, syscall.SIGTERM)
		_ = terminal.Close()
		_ = s.process.Wait()
	})
	return s
}

// asks is how a question ends that waits for an answer in the same line.
const asks = "[y/N] "

// run types a command, and the answers to what it asks. It returns what then stands in the terminal, and whether the command
// succeeded.
func (s *shell) run(command string, answers ...string) (printed []string, succeeded bool) {
	GinkgoHelper()
	// In braces, the shell reads all of it before it begins, and leaves what is typed then to the command.
	s.enter(fmt.Sprintf("{ %s\n}; code=$?; echo; echo '%s'$code", command, end))
	var line []byte
	for {
		b, err := s.output.ReadByte()
		Expect(err).NotTo(HaveOccurred(), "the shell ended in %s", command)
		if b != '\n' {
			if line = append(line, b); !bytes.HasSuffix(line, []byte(asks)) {
				continue
			}
			Expect(answers).NotTo(BeEmpty(), "%s asks %s, and the page shows no answer", command, line)
			s.enter(answers[0])
			line, answers = append(line, answers[0]...), answers[1:]
		}
		if code, ended := strings.CutPrefix(string(line), end); ended {
			return trim(printed), code == "0"
		}
		printed, line = append(printed, string(line)), nil
	}
}

func (s *shell) enter(text string) {
	GinkgoHelper()
	_, err := fmt.Fprintln(s.terminal, text)
	Expect(err).NotTo(HaveOccurred())
}

func trim(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// beside is what a command that goes on has printed so far.
type beside struct {
	lock    sync.Mutex
	printed bytes.Buffer
}

func (b *beside) Write(p []byte) (int, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.printed.Write(p)
}

func (b *beside) lines() []string {
	b.lock.Lock()
	defer b.lock.Unlock()
	return strings.Split(b.printed.String(), "\n")
}

// startBeside runs a command until the spec ends; then it is interrupted, as a person would.
func startBeside(dir string, env []string, command string) *beside {
	GinkgoHelper()
	b := &beside{}
	process := exec.CommandContext(context.Background(), "bash", "-c", "exec "+command)
	process.Dir, process.Env, process.Stdout, process.Stderr = dir, env, b, b
	process.WaitDelay = 10 * time.Second
	Expect(process.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = process.Process.Signal(syscall.SIGINT)
		_ = process.Wait()
	})
	return b
}

// varying is what differs from one time to the next, and what stands for it.
var varying = []struct {
	pattern *regexp.Regexp
	stands  string
}{
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "<id>"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "<time>"},
	{regexp.MustCompile(`\bscimop_[0-9A-Za-z]{8,}`), "scimop_…"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:<port>"},
	{regexp.MustCompile(`\b[0-9a-f]{32}([0-9a-f]{32})?\b`), "<hash>"},
	{regexp.MustCompile(`"duration":[0-9.e-]+`), `"duration":<seconds>`},
	{regexp.MustCompile(`^(\d+[smhd])+( \(x\d+ over (\d+[smhd])+\))? `), "<age> "},
	{regexp.MustCompile(`\b(\d+[smhd])+( ago|$)`), "<age>"},
	{regexp.MustCompile(`held for (\d+[smhd])+`), "held for <age>"},
	{regexp.MustCompile(`-[0-9a-f]{12}\b`), "-<hash>"},
	{regexp.MustCompile(`-[bcdfghjklmnpqrstvwxz2456789]{5,10}\b`), "-<generated>"},
	{regexp.MustCompile(`\s+`), " "},
}

func settled(line string) string {
	// One jq keeps the order in which an object has its keys, another one sorts them.
	var object map[string]any
	if json.Unmarshal([]byte(line), &object) == nil {
		if sorted, err := json.Marshal(object); err == nil {
			line = string(sorted)
		}
	}
	for _, v := range varying {
		line = v.pattern.ReplaceAllString(line, v.stands)
	}
	return strings.TrimSpace(line)
}

// differs says what of the shown lines was not printed, or what was printed and is not shown. The order counts for nothing,
// because Kubernetes sorts by random ids; a line that is only … stands for any others, and at the end of a line … stands for more.
func differs(shown, printed []string) error {
	left := map[string]int{}
	for _, line := range printed {
		if line = settled(line); line != "" {
			left[line]++
		}
	}
	more := len(trim(shown)) == 0 // nothing is shown
	for _, line := range shown {
		line = settled(line)
		switch line {
		case "…":
			more = true
		case "":
		default:
			found := line
			if beginning, cut := strings.CutSuffix(line, "…"); cut && left[line] == 0 {
				found = beginningWith(beginning, left)
			}
			if left[found] == 0 {
				return fmt.Errorf("it does not print: %s\nbut:\n%s", line, strings.Join(printed, "\n"))
			}
			left[found]--
		}
	}
	for line, times := range left {
		if times > 0 && !more {
			return fmt.Errorf("it also prints: %s\nin:\n%s", line, strings.Join(printed, "\n"))
		}
	}
	return nil
}

// beginningWith is one of the lines that are left.
func beginningWith(beginning string, left map[string]int) string {
	for line, times := range left {
		if times > 0 && strings.HasPrefix(line, beginning) {
			return line
		}
	}
	return ""
}
