package grafana

import (
	"os"
	"testing"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

func TestGrafanasOwnClientUnderstandsTheDouble(t *testing.T) {
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	double, end := Start(Settings{})
	defer end()
	if err := double.Contract(t.Context(), root, os.Stderr); err != nil {
		t.Fatal(err)
	}
	if asked := double.Violations(); len(asked) > 0 {
		t.Errorf("the double does not know what Grafana's client asks: %q", asked)
	}
	if len(double.Teams()) != 1 || len(double.Held()) != 0 {
		t.Errorf("there are %v, with %q", double.Teams(), double.Held())
	}
}
