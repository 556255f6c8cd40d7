package programs

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Source is a program in a module of its own, so that what it requires stays out of the operator's.
type Source struct {
	// Name is the program's, and the folder's below bin.
	Name string
	// Module is the folder of the module, which has no folders below.
	Module string
	// Package is what to build there.
	Package string
	// Tags are build tags, separated by commas.
	Tags string
}

// Program returns the path of the program in a folder of bin below root. It builds it, with nothing but the Go module
// proxy, when it is not there or the module has changed since. It returns an error when the module cannot be read, when
// the build fails, or when ctx ends.
func (s Source) Program(ctx context.Context, root string, progress io.Writer) (string, error) {
	stamp, err := s.stamp()
	if err != nil {
		return "", err
	}
	folder := Folder{Path: filepath.Join(root, "bin", s.Name), Stamp: stamp, Names: []string{s.Name}}
	err = folder.Ensure(ctx, progress, func(dir string) error {
		dir, err := filepath.Abs(dir) // the go tool runs in another folder
		if err != nil {
			return err
		}
		return Step(progress, "build "+s.Name+" from source (a few minutes, once)", func() error {
			return Go(ctx, s.Module, "build", "-buildvcs=false", "-trimpath", "-tags", s.Tags, "-ldflags", "-s -w", "-o", filepath.Join(dir, s.Name), s.Package)
		})
	})
	return filepath.Join(folder.Path, s.Name), err
}

// stamp names the machine and the content of the module, whose go.sum names that of all it requires.
func (s Source) stamp() (string, error) {
	entries, err := os.ReadDir(s.Module)
	if err != nil {
		return "", fmt.Errorf("read the module that %s is built from: %w", s.Name, err)
	}
	sum := sha256.New()
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(s.Module, entry.Name()))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%q %q\n", entry.Name(), content)
	}
	return fmt.Sprintf("%x %s/%s", sum.Sum(nil), runtime.GOOS, runtime.GOARCH), nil
}
