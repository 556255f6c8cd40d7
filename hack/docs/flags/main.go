// Command flags writes the operator's flags into a page: what --help prints is its input.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/scim-operator/scim-operator/hack/docs"
)

func main() {
	if err := run(os.Args[1:], os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "flags:", err)
		os.Exit(1)
	}
}

func run(arguments []string, input io.Reader) error {
	if len(arguments) != 1 {
		return errors.New("name the page, such as docs/operations.md")
	}
	help, err := io.ReadAll(input)
	if err != nil {
		return err
	}
	page, err := os.ReadFile(arguments[0])
	if err != nil {
		return err
	}
	written, err := docs.Flags(string(page), string(help))
	if err != nil {
		return err
	}
	return os.WriteFile(arguments[0], []byte(written), 0o644)
}
