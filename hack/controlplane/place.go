package controlplane

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/scim-operator/scim-operator/hack/controlplane/programs"
)

const (
	etcdLog   = "etcd.log"
	serverLog = "kube-apiserver.log"
)

// place is the folder that holds all a control plane writes.
type place struct {
	dir       string
	temporary []string // dir, if nothing is to be kept
}

func choosePlace(dataDir string) (place, error) {
	if dataDir != "" {
		dir, err := filepath.Abs(dataDir)
		return place{dir: dir}, err
	}
	dir, err := os.MkdirTemp("", "scim-operator-controlplane-")
	return place{dir: dir, temporary: []string{dir}}, err
}

func (p place) cleanUp() error {
	var errs []error
	for _, dir := range p.temporary {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}

// lastWords returns what the servers logged last.
func (p place) lastWords() []byte {
	var words []byte
	for _, name := range []string{etcdLog, serverLog} {
		if log, err := os.ReadFile(filepath.Join(p.dir, name)); err == nil {
			words = fmt.Appendf(words, "%s:\n%s\n", name, programs.LastLines(log, 10))
		}
	}
	return words
}
