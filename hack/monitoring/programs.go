// Package monitoring proves what config/components/monitoring has: the alerts and the dashboard, by Prometheus' own tools and
// against what the operator serves.
package monitoring

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/scim-operator/scim-operator/hack/controlplane/programs"
)

// source is where Prometheus' programs are built from.
func source(root string) string { return filepath.Join(root, "hack", "monitoring", "source") }

// Promtool returns a command that runs Prometheus' promtool. It builds it from source if need be, which takes minutes, and
// returns an error when that fails or ctx ends.
func Promtool(ctx context.Context, root string, arguments ...string) (*exec.Cmd, error) {
	// The tag leaves out the clients of all clouds, which it would find servers by.
	from := programs.Source{
		Name: "promtool", Module: source(root), Package: "github.com/prometheus/prometheus/cmd/promtool", Tags: "remove_all_sd",
	}
	program, err := from.Program(ctx, root, os.Stderr)
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, program, arguments...), nil
}

// Names are what a PromQL expression asks for.
type Names struct {
	// Metrics are the labels by which each metric is selected, by its name.
	Metrics map[string][]string `json:"metrics"`
	// Grouping are the labels by which results are grouped or joined.
	Grouping []string `json:"grouping"`
}

// NamesIn returns what each of the expressions asks for, by Prometheus' own parser. It returns an error when one cannot be
// parsed, when the parser cannot be built, or when ctx ends.
func NamesIn(ctx context.Context, root string, expressions []string) ([]Names, error) {
	from := programs.Source{Name: "promql-names", Module: source(root), Package: ".", Tags: "remove_all_sd"}
	program, err := from.Program(ctx, root, os.Stderr)
	if err != nil {
		return nil, err
	}
	list, err := json.Marshal(expressions)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, program)
	var output, complaints bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(list), &output, &complaints
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("promql-names: %w: %s", err, programs.LastLines(complaints.Bytes(), 10))
	}
	var all []Names
	return all, json.Unmarshal(output.Bytes(), &all)
}
