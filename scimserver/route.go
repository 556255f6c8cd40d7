package scimserver

import (
	"net/url"
	"slices"
	"strings"
)

const root = "/scim/v2"

const search = ".search"

var endpointNames = []string{"Users", "Groups", "Schemas", "ResourceTypes", "ServiceProviderConfig", "Me", "Bulk", search}

// route is what the path of a request says.
type route struct {
	// namespace and directory are empty in the short form, where the token alone says which directory is meant.
	namespace, directory string
	// pattern is the path below the directory with {id} in place of an id; empty when nothing can be there.
	pattern string
	id      string
}

// parseRoute reads an escaped path in either form, /scim/v2/{namespace}/{directory}/Users or /scim/v2/Users. It tolerates
// endpoint names in any case and superfluous slashes, which base URLs are pasted with. It returns false for a path
// outside of /scim/v2.
func parseRoute(path string) (route, bool) {
	below, ok := strings.CutPrefix(path, root)
	if !ok || below != "" && below[0] != '/' {
		return route{}, false
	}
	segments := slices.DeleteFunc(strings.Split(below, "/"), func(s string) bool { return s == "" })
	for i, segment := range segments {
		var err error
		if segments[i], err = url.PathUnescape(segment); err != nil {
			return route{}, true
		}
	}
	var r route
	if !isShortForm(segments) && len(segments) >= 2 {
		r.namespace, r.directory, segments = segments[0], segments[1], segments[2:]
	}
	r.pattern, r.id = patternOf(segments)
	return r, true
}

// isShortForm tells /Users/{id} from /{namespace}/{directory}: a namespace has no upper-case letter, and an endpoint in
// lower case can only be meant where no endpoint follows a directory.
func isShortForm(segments []string) bool {
	if len(segments) == 0 {
		return true
	}
	name, ok := endpointName(segments[0])
	return ok && (name == segments[0] || len(segments) <= 2)
}

func patternOf(segments []string) (pattern, id string) {
	if len(segments) == 0 {
		return "", ""
	}
	name, ok := endpointName(segments[0])
	switch {
	case !ok || len(segments) > 2:
		return "", ""
	case len(segments) == 1:
		return name, ""
	case segments[1] == search:
		return name + "/" + search, ""
	default:
		return name + "/{id}", segments[1]
	}
}

func endpointName(segment string) (string, bool) {
	i := slices.IndexFunc(endpointNames, func(name string) bool { return strings.EqualFold(name, segment) })
	if i < 0 {
		return "", false
	}
	return endpointNames[i], true
}
