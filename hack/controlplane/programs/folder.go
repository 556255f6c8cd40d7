package programs

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/scim-operator/scim-operator/hack/controlplane/filelock"
)

const stampFile = "VERSION"

// Folder holds programs of one version.
type Folder struct {
	Path string
	// Stamp says what the folder holds, so that another version, or the same tree mounted on another kind of machine,
	// gets its own.
	Stamp string
	// Names are those of the programs.
	Names []string
}

// Ensure makes the folder hold what it should. If it does not yet, fill puts the programs into another folder, which
// then takes its place, or the folder is left as it is. Processes that need it at the same time wait for the one that
// fills it. Ensure returns what fill returns, and an error when the folder cannot be written or ctx ends.
func (f Folder) Ensure(ctx context.Context, progress io.Writer, fill func(dir string) error) error {
	if f.current() {
		return nil
	}
	release, err := filelock.Acquire(ctx, f.Path+".lock", func() {
		fmt.Fprintf(progress, "waiting for another process that prepares %s\n", strings.Join(f.Names, ", "))
	})
	if err != nil {
		return err
	}
	defer release()
	if f.current() { // somebody else has just filled it
		return nil
	}
	return f.replace(fill)
}

func (f Folder) replace(fill func(dir string) error) error {
	partial := f.Path + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	defer os.RemoveAll(partial)
	if err := os.MkdirAll(partial, 0o750); err != nil {
		return err
	}
	if err := fill(partial); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(partial, stampFile), []byte(f.Stamp+"\n"), 0o600); err != nil {
		return err
	}
	if err := os.RemoveAll(f.Path); err != nil {
		return err
	}
	return os.Rename(partial, f.Path)
}

func (f Folder) current() bool {
	content, err := os.ReadFile(filepath.Join(f.Path, stampFile))
	return err == nil && strings.TrimSpace(string(content)) == f.Stamp && Missing(f.Path, f.Names...) == ""
}

// Missing names the first of the programs that dir does not hold, or none.
func Missing(dir string, names ...string) string {
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o100 == 0 {
			return name
		}
	}
	return ""
}
