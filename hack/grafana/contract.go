package grafana

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/scim-operator/scim-operator/hack/controlplane/programs"
)

// Contract calls the double by Grafana's own client. It builds the program that does if need be, from the module below root,
// which takes a minute. It returns an error when that fails, when the client does not understand the double, or when ctx ends.
func (d *Double) Contract(ctx context.Context, root string, progress io.Writer) error {
	source := programs.Source{Name: "grafana-contract", Module: filepath.Join(root, "hack", "grafana", "source"), Package: "."}
	program, err := source.Program(ctx, root, progress)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, program, strings.TrimPrefix(d.URL, "http://"))
	command.Env = append(os.Environ(), "GRAFANA_TOKEN="+Token)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, programs.LastLines(output, 10))
	}
	return nil
}
