package scimserver

import (
	"errors"
	"mime"
	"strconv"
	"strings"
)

// The media types of bodies (RFC 7644 §8.1); application/json is what some clients know instead.
const (
	scimJSON  = "application/scim+json"
	plainJSON = "application/json"
)

// acceptsBody reports whether a request's Content-Type is one that the server reads. None at all is taken for JSON.
func acceptsBody(contentType string) bool {
	if strings.TrimSpace(contentType) == "" {
		return true
	}
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || mediaType != scimJSON && mediaType != plainJSON {
		return false
	}
	charset, given := parameters["charset"]
	return !given || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

// preferredType picks the media type of the response from the Accept headers (RFC 9110 §12.5.1): application/scim+json
// unless the client prefers, or names only, application/json. It returns false when the client accepts neither.
func preferredType(accept []string) (string, bool) {
	header := strings.Join(accept, ",")
	if strings.TrimSpace(header) == "" {
		return scimJSON, true
	}
	scim, plain := preferenceFor(scimJSON, header), preferenceFor(plainJSON, header)
	switch {
	case scim.quality <= 0 && plain.quality <= 0:
		return "", false
	case plain.quality > scim.quality, plain.quality == scim.quality && plain.specificity > scim.specificity:
		return plainJSON, true
	default:
		return scimJSON, true
	}
}

type preference struct {
	specificity int // 1: */*, 2: application/*, 3: the type itself
	quality     float64
}

// preferenceFor returns what the most specific media range of the header says of a type.
func preferenceFor(mediaType, header string) (best preference) {
	for part := range strings.SplitSeq(header, ",") {
		mediaRange, parameters, err := mime.ParseMediaType(part)
		if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
			continue
		}
		p := preference{quality: 1}
		switch mediaRange {
		case mediaType:
			p.specificity = 3
		case "application/*":
			p.specificity = 2
		case "*/*", "*":
			p.specificity = 1
		default:
			continue
		}
		if q, given := parameters["q"]; given {
			p.quality, _ = strconv.ParseFloat(q, 64) // what is no number is not wanted
		}
		if p.specificity > best.specificity {
			best = p
		}
	}
	return best
}
