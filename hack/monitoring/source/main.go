// Command promql-names reads PromQL expressions from standard input, a JSON list, and writes for each what it asks for: the
// metrics with the labels by which they are selected, and the labels by which it groups or joins. It ends with an error when
// one cannot be parsed.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Names are what one expression asks for.
type Names struct {
	// Metrics are the labels by which each metric is selected, by its name.
	Metrics map[string][]string `json:"metrics"`
	// Grouping are the labels by which results are grouped or joined.
	Grouping []string `json:"grouping"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var expressions []string
	if err := json.NewDecoder(in).Decode(&expressions); err != nil {
		return fmt.Errorf("the list of expressions: %w", err)
	}
	all := make([]Names, 0, len(expressions))
	for _, text := range expressions {
		expression, err := parser.NewParser(parser.Options{}).ParseExpr(text)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		all = append(all, namesOf(expression))
	}
	return json.NewEncoder(out).Encode(all)
}

func namesOf(expression parser.Expr) Names {
	names := Names{Metrics: map[string][]string{}, Grouping: []string{}}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.VectorSelector:
			selected := names.Metrics[node.Name]
			for _, m := range node.LabelMatchers {
				if m.Name != labels.MetricName {
					selected = append(selected, m.Name)
				}
			}
			names.Metrics[node.Name] = selected
		case *parser.AggregateExpr:
			names.Grouping = append(names.Grouping, node.Grouping...)
		case *parser.BinaryExpr:
			if node.VectorMatching != nil {
				names.Grouping = append(names.Grouping, node.VectorMatching.MatchingLabels...)
				names.Grouping = append(names.Grouping, node.VectorMatching.Include...)
			}
		}
		return nil
	})
	return names
}
