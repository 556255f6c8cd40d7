package lifeline

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

const ownerDir = "LIFELINE_TEST_OWNER_DIR"

// TestMain lets the test binary play the owner, which can be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerDir); dir != "" {
		own(dir)
	}
	os.Exit(m.Run())
}

// own starts a program that says "up" and then never ends by itself, on this process's own output.
func own(dir string) {
	path, err := Wrap(filepath.Join(dir, "run"), filepath.Join(dir, "it's a server"), filepath.Join(dir, "left over"))
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(path, "--port", "a b")
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Run(); err != nil {
		panic(err)
	}
}

func TestServerEndsWithItsOwner(t *testing.T) {
	for _, test := range []struct {
		name   string
		signal os.Signal
		pause  string
	}{
		{name: "killed", signal: os.Kill},
		{name: "terminated", signal: syscall.SIGTERM},
		{name: "interrupted", signal: os.Interrupt},
		{name: "killed while the server is paused", signal: os.Kill, pause: "kill -s STOP $$\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			server := "#!/bin/sh\necho \"$2\"\n" + test.pause + "exec sleep 600\n"
			if err := os.WriteFile(filepath.Join(dir, "it's a server"), []byte(server), 0o700); err != nil {
				t.Fatal(err)
			}
			for _, folder := range []string{"run", "left over"} {
				if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			output, input, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer output.Close()
			owner := exec.Command(os.Args[0])
			owner.Env = append(os.Environ(), ownerDir+"="+dir)
			owner.Stdout = input
			if err := owner.Start(); err != nil {
				t.Fatal(err)
			}
			input.Close()
			if err := output.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			up := make([]byte, 4)
			if _, err := io.ReadFull(output, up); err != nil || !bytes.Equal(up, []byte("a b\n")) {
				t.Fatalf("the server said %q, %v; want its second argument", up, err)
			}

			if err := owner.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			_ = owner.Wait() // how it ended is not the question
			if rest, err := io.ReadAll(output); err != nil {
				t.Fatalf("the server still holds its output: %q, %v", rest, err)
			}
			leftover := filepath.Join(dir, "left over")
			NewWithT(t).Eventually(leftover).WithTimeout(5 * time.Second).ShouldNot(BeADirectory())
		})
	}
}

func TestHelpEndsByItself(t *testing.T) {
	path, err := Wrap(t.TempDir(), "/bin/echo")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--help")
	cmd.WaitDelay = 10 * time.Second // or a watcher that holds the output would hang this
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", output, err)
	}
}
