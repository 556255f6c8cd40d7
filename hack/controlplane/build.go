package controlplane

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const heartbeat = 15 * time.Second

// build compiles the programs from the module in hack/controlplane/source into dir. It needs nothing but the
// Go module proxy.
func build(ctx context.Context, root, dir string, progress io.Writer) error {
	source := filepath.Join(root, "hack", "controlplane", "source")
	for _, program := range []struct{ name, pkg string }{
		{"etcd", "go.etcd.io/etcd/server/v3"},
		{"kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"},
		{"kubectl", "k8s.io/kubernetes/cmd/kubectl"},
	} {
		err := step(progress, "build "+program.name, func() error {
			return goCommand(ctx, source, "build", "-trimpath", "-ldflags", linkerFlags(), "-o", filepath.Join(dir, program.name), program.pkg)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// linkerFlags strips the binaries and tells them their version, as the release build of Kubernetes does.
func linkerFlags() string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(kubernetesVersion, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	var flags strings.Builder
	flags.WriteString("-s -w")
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		fmt.Fprintf(&flags, " -X %[1]s.gitVersion=%[2]s -X %[1]s.gitMajor=%[3]s -X %[1]s.gitMinor=%[4]s", pkg, kubernetesVersion, major, minor)
	}
	return flags.String()
}

// goCommand runs the go tool for this machine. Its error ends with what the tool said last.
func goCommand(ctx context.Context, dir string, args ...string) error {
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // lets go end its compilers
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("go %s: %w\n%s", args[0], err, lastLines(output.Bytes(), 20))
	}
	return nil
}

// step tells that something starts, that it still goes on, and how long it took.
func step(progress io.Writer, name string, do func() error) error {
	start := time.Now()
	elapsed := func() time.Duration { return time.Since(start).Round(time.Second) }
	fmt.Fprintf(progress, "%s …\n", name)
	done := make(chan error, 1)
	go func() { done <- do() }()
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			fmt.Fprintf(progress, "%s: done in %s\n", name, elapsed())
			return nil
		case <-tick.C:
			fmt.Fprintf(progress, "%s … %s\n", name, elapsed())
		}
	}
}
