package scimserver

import "strings"

// checkPrecondition compares a resource's version with If-Match and If-None-Match (RFC 7644 §3.14, RFC 9110 §13).
// It returns errNotModified for a GET of a version that the client has, and errPrecondition for a write that was meant for
// another version.
func (q *request) checkPrecondition(version string) error {
	if expected := q.Header.Values("If-Match"); len(expected) > 0 && !anyTag(expected, version) {
		return errPrecondition
	}
	if known := q.Header.Values("If-None-Match"); len(known) > 0 && anyTag(known, version) {
		if q.isRead() {
			return errNotModified.with("ETag", version)
		}
		return errPrecondition
	}
	return nil
}

// isConditional reports whether the request is meant for certain versions only.
func (q *request) isConditional() bool {
	return q.Header.Get("If-Match") != "" || q.Header.Get("If-None-Match") != ""
}

// anyTag reports whether one of the entity tags is the version. SCIM's versions are weak, so the comparison is.
func anyTag(headers []string, version string) bool {
	for _, header := range headers {
		for tag := range strings.SplitSeq(header, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || opaqueTag(tag) == opaqueTag(version) {
				return true
			}
		}
	}
	return false
}

// opaqueTag strips the mark of weakness, and the quotes that some clients forget.
func opaqueTag(tag string) string {
	return strings.Trim(strings.TrimPrefix(tag, "W/"), `"`)
}
