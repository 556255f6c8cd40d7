package controlplane

import (
	"errors"
	"os"
	"path/filepath"
)

// Root returns the folder of the module that the working directory is in, or an error when it is in none.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod in the working directory or above it: run this inside the repository")
		}
		dir = parent
	}
}
