package monitoring

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	dto "github.com/prometheus/client_model/go"
)

type dashboard struct {
	Title  string `json:"title"`
	UID    string `json:"uid"`
	Panels []struct {
		ID          int `json:"id"`
		Type, Title string
		GridPos     struct{ X, Y, W, H int }
		Targets     []struct{ Expr string }
	} `json:"panels"`
}

func readDashboard() (d dashboard) {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(root, "config", "components", "monitoring", "dashboard.json"))
	Expect(err).NotTo(HaveOccurred())
	Expect(json.Unmarshal(content, &d)).To(Succeed())
	return d
}

// ofTheTarget are the labels that Prometheus gives to all metrics of a replica.
var ofTheTarget = []string{"job", "instance", "namespace"}

var _ = Describe("A query", func() {
	It("of an alert, or of the dashboard, asks for what the operator serves", func(ctx context.Context) {
		var expressions []string
		all, _ := rules()
		for _, a := range all {
			expressions = append(expressions, a.Expr)
		}
		for _, p := range readDashboard().Panels {
			for _, t := range p.Targets {
				expressions = append(expressions, strings.ReplaceAll(t.Expr, "$__rate_interval", "5m"))
			}
		}
		asked, err := NamesIn(ctx, root, expressions)
		Expect(err).NotTo(HaveOccurred())
		Expect(len(asked)).To(BeNumerically(">", 40))
		for i, names := range asked {
			var has []string
			for metric, selected := range names.Metrics {
				family := familyOf(metric)
				Expect(family).NotTo(BeNil(), "nothing serves %s, of %s", metric, expressions[i])
				labels := slices.Concat(labelsOf(family), ofTheTarget)
				if family.GetType() == dto.MetricType_HISTOGRAM {
					labels = append(labels, "le")
				}
				for _, label := range selected {
					Expect(labels).To(ContainElement(label), "%s, in %s", metric, expressions[i])
				}
				has = append(has, labels...)
			}
			for _, label := range names.Grouping {
				Expect(has).To(ContainElement(label), expressions[i])
			}
		}
	})
})

// familyOf is what a name in a query is of: of a histogram, there are several.
func familyOf(metric string) *dto.MetricFamily {
	for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
		if name, cut := strings.CutSuffix(metric, suffix); cut && served[name] != nil {
			return served[name]
		}
	}
	return nil
}

var _ = Describe("The dashboard", func() {
	It("has panels that do not overlap, each with a title and a query", func() {
		d := readDashboard()
		Expect(d.UID).To(Equal("scim-operator"))
		ids := map[int]bool{}
		taken := map[[2]int]string{}
		for _, p := range d.Panels {
			Expect(ids).NotTo(HaveKey(p.ID), p.Title)
			ids[p.ID] = true
			Expect(p.Title).NotTo(BeEmpty())
			if p.Type != "row" {
				Expect(p.Targets).NotTo(BeEmpty(), p.Title)
			}
			Expect(p.GridPos.X+p.GridPos.W).To(BeNumerically("<=", 24), p.Title)
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					Expect(taken).NotTo(HaveKey(at), "%s lies on %s", p.Title, taken[at])
					taken[at] = p.Title
				}
			}
		}
	})

	It("lets one choose the Prometheus, the installation, the namespace and the directory", func() {
		content, err := os.ReadFile(filepath.Join(root, "config", "components", "monitoring", "dashboard.json"))
		Expect(err).NotTo(HaveOccurred())
		for _, name := range []string{"datasource", "job", "namespace", "directory"} {
			Expect(string(content)).To(ContainSubstring(`"name": "` + name + `"`))
			Expect(strings.Count(string(content), "$"+name)+strings.Count(string(content), "${"+name+"}")).To(BeNumerically(">", 0), "%s is without effect", name)
		}
	})
})
