// Command golangci-lint is golangci-lint with kube-api-linter compiled in. The linter is a plug-in that golangci-lint's
// own `custom` command would build from a clone; linking it here keeps both at the versions of this module.
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"

	_ "sigs.k8s.io/kube-api-linter"
)

func main() {
	if err := commands.Execute(commands.BuildInfo{Version: "scim-operator", GoVersion: runtime.Version()}); err != nil {
		fmt.Fprintf(os.Stderr, "golangci-lint: %v\n", err)
		os.Exit(exitcodes.Failure)
	}
}
