package programs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestFolderIsFilledWhenItDoesNotHoldWhatItShould(t *testing.T) {
	folder := Folder{Path: filepath.Join(t.TempDir(), "new", "folder"), Stamp: "v2 os/arch", Names: []string{"one", "two"}}
	fills := 0
	ensure := func(folder Folder, want int) {
		t.Helper()
		err := folder.Ensure(t.Context(), io.Discard, func(dir string) error {
			fills++
			return errors.Join(put(dir, "one"), put(dir, "two"))
		})
		if err != nil || fills != want || Missing(folder.Path, folder.Names...) != "" {
			t.Fatalf("filled %d times, want %d: %v", fills, want, err)
		}
	}
	ensure(folder, 1)
	ensure(folder, 1)
	if err := os.Remove(filepath.Join(folder.Path, "two")); err != nil {
		t.Fatal(err)
	}
	ensure(folder, 2)
	folder.Stamp = "v3 os/arch"
	ensure(folder, 3)
	if err := os.Remove(filepath.Join(folder.Path, stampFile)); err != nil {
		t.Fatal(err)
	}
	ensure(folder, 4)
}

func TestFailedFillLeavesTheFolderAsItWas(t *testing.T) {
	folder := Folder{Path: filepath.Join(t.TempDir(), "folder"), Stamp: "v1", Names: []string{"one"}}
	if err := folder.Ensure(t.Context(), io.Discard, func(dir string) error { return put(dir, "one") }); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no room on the disk")
	newer := Folder{Path: folder.Path, Stamp: "v2", Names: folder.Names}
	if err := newer.Ensure(t.Context(), io.Discard, func(string) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
	if !folder.current() {
		t.Error("the old programs are gone")
	}
	if left, err := filepath.Glob(folder.Path + ".partial"); err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func put(dir, program string) error {
	return os.WriteFile(filepath.Join(dir, program), nil, 0o700)
}
