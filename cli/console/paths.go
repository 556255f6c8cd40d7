package console

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// join makes a path of segments that may hold anything.
func join(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

func namespacePath(namespace string, more ...string) string {
	return join(append([]string{"namespaces", namespace}, more...)...)
}

func directoryPath(namespace, directory string, more ...string) string {
	return namespacePath(namespace, append([]string{"directories", directory}, more...)...)
}

// namespaceCrumbs lead to a namespace.
func namespaceCrumbs(namespace string) []link {
	return []link{{Text: "All directories", Path: "/"}, {Text: namespace, Path: namespacePath(namespace)}}
}

// inNamespace puts the frame of a namespace around the page; here is the tab.
func (v *visit) inNamespace(here string) {
	v.frame.Crumbs = namespaceCrumbs(v.Namespace)
	v.frame.Tabs = []link{
		{Text: "Directories", Path: namespacePath(v.Namespace), Here: here == ""},
		{Text: "Roles", Path: namespacePath(v.Namespace, "roles"), Here: here == "roles"},
		{Text: "Targets", Path: namespacePath(v.Namespace, "targets"), Here: here == "targets"},
	}
}

// inDirectory puts the frame of a directory around the page; here is the tab.
func (v *visit) inDirectory(d *v1alpha1.ScimDirectory, here string) {
	held := ""
	if d.Status.Held != nil {
		held = strconv.Itoa(int(d.Status.Held.People))
	}
	at := func(segments ...string) string { return directoryPath(d.Namespace, d.Name, segments...) }
	v.frame.Crumbs = append(namespaceCrumbs(d.Namespace), link{Text: d.Name, Path: at()})
	v.frame.Tabs = []link{
		{Text: "Overview", Path: at(), Here: here == ""},
		{Text: "People", Path: at("people"), Here: here == "people"},
		{Text: "Groups", Path: at("groups"), Here: here == "groups"},
		{Text: "Held changes", Path: at("held"), Here: here == "held", Note: held},
		{Text: "Set up", Path: at("setup"), Here: here == "setup"},
	}
}
