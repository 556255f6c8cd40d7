package programs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestProgramIsBuiltAgainWhenItsModuleChanges(t *testing.T) {
	root, module := t.TempDir(), t.TempDir()
	write(t, filepath.Join(module, "go.mod"), "module example.com/hello\n")
	hello := Source{Name: "hello", Module: module, Package: "."}
	builds := 0
	for _, word := range []string{"one", "one", "two"} {
		write(t, filepath.Join(module, "main.go"), "package main\n\nfunc main() { println(\""+word+"\") }\n")
		var progress bytes.Buffer
		path, err := hello.Program(t.Context(), root, &progress)
		if err != nil {
			t.Fatal(err)
		}
		builds += strings.Count(progress.String(), "done in")
		if output, err := exec.Command(path).CombinedOutput(); err != nil || string(output) != word+"\n" {
			t.Errorf("got %q, %v; want %q", output, err, word)
		}
	}
	if builds != 2 {
		t.Errorf("built %d times, want 2", builds)
	}
}

func TestFailedBuildSaysWhatTheGoToolSaid(t *testing.T) {
	module := t.TempDir()
	write(t, filepath.Join(module, "go.mod"), "module example.com/empty\n")
	var progress bytes.Buffer
	_, err := Source{Name: "nothing", Module: module, Package: "./no/such/package"}.Program(t.Context(), t.TempDir(), &progress)
	if err == nil || !strings.Contains(err.Error(), "go build: exit status 1") || !strings.Contains(err.Error(), "no/such/package") {
		t.Errorf("got %v", err)
	}
	if !strings.HasPrefix(progress.String(), "build nothing from source") {
		t.Errorf("progress is %q", progress.String())
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
