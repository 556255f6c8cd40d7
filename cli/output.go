package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rivo/uniseg"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// format is how results are printed.
type format string

const (
	formatTable format = "table"
	formatWide  format = "wide"
	formatJSON  format = "json"
	formatYAML  format = "yaml"
	formatName  format = "name"
)

var formats = []format{formatTable, formatWide, formatJSON, formatYAML, formatName}

func (f *format) String() string { return string(*f) }
func (f *format) Type() string   { return "format" }

func (f *format) Set(value string) error {
	if !slices.Contains(formats, format(value)) {
		return fmt.Errorf("want one of %v", formats)
	}
	*f = format(value)
	return nil
}

// readable says whether a person is to read the output.
func (f format) readable() bool { return f == formatTable || f == formatWide }

// column is one of a table; a wide one is left out unless asked for.
type column[T any] struct {
	title string
	wide  bool
	cell  func(T) text
}

// rows prints things one after another, as they come, in the format that the user asked for.
type rows[T any] struct {
	session *session
	columns []column[T]
	// name is what the thing is to kubectl, such as scimuser.scim-operator.io/ID.
	name func(T) string
	// object is what programs get of it.
	object func(T) any

	widths  []int
	waiting [][]text
	printed int
}

// add takes one thing; a table shows it with the next flush.
func (r *rows[T]) add(thing T) error {
	r.printed++
	switch r.session.format {
	case formatName:
		_, err := fmt.Fprintln(os.Stdout, r.name(thing))
		return err
	case formatJSON:
		between := ","
		if r.printed == 1 {
			between = `{"apiVersion":"v1","kind":"List","items":[`
		}
		content, err := json.MarshalIndent(r.object(thing), "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(os.Stdout, "%s\n%s", between, content)
		return err
	case formatYAML:
		if r.printed == 1 {
			fmt.Fprintln(os.Stdout, "apiVersion: v1\nkind: List\nitems:")
		}
		content, err := yaml.Marshal([]any{r.object(thing)})
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(content)
		return err
	}
	var row []text
	for _, c := range r.shown() {
		row = append(row, c.cell(thing))
	}
	r.waiting = append(r.waiting, row)
	return nil
}

func (r *rows[T]) shown() []column[T] {
	return slices.DeleteFunc(slices.Clone(r.columns), func(c column[T]) bool { return c.wide && r.session.format != formatWide })
}

// flush shows what has been added. Columns keep the width that the first page gave them, unless a later one needs more.
func (r *rows[T]) flush() {
	if len(r.waiting) == 0 {
		return
	}
	if r.widths == nil {
		var head []text
		for _, c := range r.shown() {
			head = append(head, plain(c.title))
		}
		r.widths = make([]int, len(head))
		r.waiting = slices.Insert(r.waiting, 0, head)
	}
	for _, row := range r.waiting {
		for i, cell := range row {
			r.widths[i] = max(r.widths[i], uniseg.StringWidth(cell.String()))
		}
	}
	for _, row := range r.waiting {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(r.session.paint(cell))
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", r.widths[i]-uniseg.StringWidth(cell.String())+3))
			}
		}
		fmt.Fprintln(os.Stdout, strings.TrimRight(b.String(), " "))
	}
	r.waiting = nil
}

// end ends the list. With nothing in it, a person reads why.
func (r *rows[T]) end(empty string) {
	r.flush()
	switch format := r.session.format; {
	case format == formatJSON && r.printed == 0:
		fmt.Fprintln(os.Stdout, `{"apiVersion":"v1","kind":"List","items":[]}`)
	case format == formatJSON:
		fmt.Fprintln(os.Stdout, "\n]}")
	case format == formatYAML && r.printed == 0:
		fmt.Fprintln(os.Stdout, "apiVersion: v1\nkind: List\nitems: []")
	case r.printed == 0:
		remark("%s", empty)
	}
}

// show prints one thing: to programs as an object, to a person by speak.
func (s *session) show(object any, name string, speak func() error) error {
	switch s.format {
	case formatName:
		_, err := fmt.Fprintln(os.Stdout, name)
		return err
	case formatJSON:
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(object)
	case formatYAML:
		content, err := yaml.Marshal(object)
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(content)
		return err
	default:
		return speak()
	}
}

// nameOf is what kubectl calls an object.
func nameOf(kind, name string) string {
	return strings.ToLower(kind) + "." + v1alpha1.GroupVersion.Group + "/" + name
}

// whole is an object as programs get it: with its kind, and without what only the API server needs.
func whole(kind string, object client.Object) any {
	object.GetObjectKind().SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	object.SetManagedFields(nil)
	return object
}

func ago(t *metav1.Time) string {
	if t.IsZero() {
		return "never"
	}
	return duration.HumanDuration(time.Since(t.Time)) + " ago"
}

func age(t metav1.Time) text { return plain(duration.HumanDuration(time.Since(t.Time))) }

// verdict is the reason of the condition Ready, in the colour of its status.
func verdict(conditions []metav1.Condition) text {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return warn("Unknown")
	case ready.Status == metav1.ConditionTrue:
		return good(ready.Reason)
	default:
		return bad(ready.Reason)
	}
}

func yesNo(is bool) text {
	if is {
		return plain("yes")
	}
	return plain("no")
}
