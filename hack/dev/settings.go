package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

// settings are what the user chose, by the environment as make hands it on and by the command line.
type settings struct {
	root       string
	binary     string   // bin/scim-operator
	dir        string   // bin/dev: state and logs
	env        string   // bin/dev/scim.env, there as long as the server serves
	address    string   // ADDR: where the SCIM server listens
	kubeconfig string   // KUBECONFIG: a cluster to use instead of an own control plane
	flags      []string // ARGS and the command line: for the operator
}

func readSettings() (settings, error) {
	root, err := controlplane.Root()
	if err != nil {
		return settings{}, err
	}
	s := settings{
		root:       root,
		binary:     filepath.Join(root, "bin", "scim-operator"),
		dir:        filepath.Join(root, "bin", "dev"),
		env:        filepath.Join(root, "bin", "dev", "scim.env"),
		address:    os.Getenv("ADDR"),
		kubeconfig: os.Getenv("KUBECONFIG"),
		flags:      append(strings.Fields(os.Getenv("ARGS")), os.Args[1:]...),
	}
	if s.address == "" {
		s.address = "127.0.0.1:8080"
	}
	return s, nil
}
