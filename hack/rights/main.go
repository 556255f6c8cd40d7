// Command rights proves that the operator's roles are as they should be: it compares what they allow with what the operator
// asked of the control planes of all tests, as their audit files say. What was refused is a right that is missing, and what
// nobody has used is one too many.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: rights FOLDER\nFOLDER is what %s was while all tests ran.\n", controlplane.AuditDir)
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(folder string) error {
	root, err := controlplane.Root()
	if err != nil {
		return err
	}
	roles, err := readRoles(filepath.Join(root, "config", "rbac"))
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("rights: no audit files in %s: run the tests with %s=%s", folder, controlplane.AuditDir, folder)
	}
	v := newVerdict(roles)
	for _, file := range files {
		requests, err := readRequests(file)
		if err != nil {
			return err
		}
		v.hear(requests)
	}
	return errors.Join(v.complaints()...)
}
