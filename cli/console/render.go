package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// document is a page with what stands around its body.
type document struct {
	Title  string
	Person string
	// Crumbs lead from the first page to this one, which is not among them.
	Crumbs []link
	// Tabs are the pages beside this one.
	Tabs []link
	Body any
}

// link leads to another page.
type link struct {
	Text, Path string
	// Here says that it is this page.
	Here bool
	// Note stands beside the text, such as a number.
	Note string
}

// documents are the pages' templates by name, each in the frame of all.
var documents = func() map[string]*template.Template {
	all := map[string]*template.Template{}
	frame := template.Must(template.New("frame.html").Funcs(functions).ParseFS(templateFiles, "templates/frame.html", "templates/parts.html"))
	pages, _ := fs.Glob(templateFiles, "templates/*.html") // the pattern is well-formed
	for _, file := range pages {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "templates/"), ".html")
		if name != "frame" && name != "parts" {
			all[name] = template.Must(template.Must(frame.Clone()).ParseFS(templateFiles, file))
		}
	}
	return all
}()

var functions = template.FuncMap{
	"plain":       view.Printable,
	"joined":      func(words []string) string { return view.Printable(strings.Join(words, ", ")) },
	"when":        when,
	"ready":       func(conditions []metav1.Condition) state { return stateOf(conditions) },
	"message":     view.Message,
	"fullName":    view.FullName,
	"firstExpiry": firstExpiry,
	"path":        join,
	"style":       func() string { return "/static/style.css?" + staticVersion },
}

// staticVersion changes with the files, so that browsers may keep them.
var staticVersion = func() string {
	content, err := staticFiles.ReadFile("static/style.css")
	if err != nil {
		panic(err) // it is embedded
	}
	hash := sha256.Sum256(content)
	return hex.EncodeToString(hash[:6])
}()

// file serves one of the files that pages refer to.
func file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=86400")
		http.ServeFileFS(w, r, staticFiles, "static/"+name)
	}
}

func (c *console) write(w http.ResponseWriter, r *http.Request, status int, name string, d document) {
	var page bytes.Buffer
	if err := documents[name].ExecuteTemplate(&page, "frame.html", d); err != nil {
		c.Log.Error("a page could not be written", "path", r.URL.Path, "error", err)
		http.Error(w, "This page could not be written; the operator's log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // who has gone away misses nothing
}

// moment is a time in the words of a person and of a program.
type moment struct {
	Words, Exact string
	// Soon says that it is at most 30 days ahead, or past.
	Soon bool
}

// when is nil for no time.
func when(at any) *moment {
	var t metav1.Time
	switch at := at.(type) {
	case *metav1.Time:
		if at == nil {
			return nil
		}
		t = *at
	case metav1.Time:
		t = at
	}
	if t.IsZero() {
		return nil
	}
	m := &moment{Exact: t.UTC().Format(time.RFC3339), Soon: time.Until(t.Time) < 30*24*time.Hour}
	if ahead := time.Until(t.Time); ahead > 0 {
		m.Words = "in " + duration.HumanDuration(ahead)
	} else {
		m.Words = duration.HumanDuration(-ahead) + " ago"
	}
	return m
}

// state is how something is, in a word, and whether that is good or bad.
type state struct{ Word, Mood string }

func stateOf(conditions []metav1.Condition) state {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return state{"Unknown", "warn"}
	case ready.Status == metav1.ConditionTrue:
		return state{ready.Reason, "good"}
	case ready.Status == metav1.ConditionUnknown:
		return state{ready.Reason, "warn"}
	default:
		return state{ready.Reason, "bad"}
	}
}

// firstExpiry is when the first of the tokens that are valid ends; nil if none does.
func firstExpiry(tokens []v1alpha1.DirectoryTokenStatus) *metav1.Time {
	var first *metav1.Time
	for i := range tokens {
		if at := tokens[i].ExpirationTime; tokens[i].State == v1alpha1.TokenValid && at != nil && (first == nil || at.Before(first)) {
			first = at
		}
	}
	return first
}
