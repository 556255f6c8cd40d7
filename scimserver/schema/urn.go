package schema

import (
	"strings"
	"unicode"
)

// The URNs of schemas (RFC 7643 §8) and of protocol messages (RFC 7644 §8.2).
const (
	UserURN                  = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupURN                 = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseUserURN        = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	SchemaURN                = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	ResourceTypeURN          = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	ServiceProviderConfigURN = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"

	ListResponseURN  = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	PatchOpURN       = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	SearchRequestURN = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	BulkRequestURN   = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	BulkResponseURN  = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	ErrorURN         = "urn:ietf:params:scim:api:messages:2.0:Error"
)

func isURN(name string) bool {
	const scheme = "urn:"
	return len(name) > len(scheme) && strings.EqualFold(name[:len(scheme)], scheme)
}

// isPlain reports whether a name has none of the characters that no URN has, and that a filter or a log could trip over.
func isPlain(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune(`"\[]()`, r)
	})
}

// cutURN takes urn and the separator off name, if the rest can name an attribute. Entra ID once separated the attribute by
// a dot instead of a colon.
func cutURN(name, urn string) (rest string, ok bool) {
	if len(name) <= len(urn)+1 || !strings.EqualFold(name[:len(urn)], urn) {
		return "", false
	}
	if separator := name[len(urn)]; separator != ':' && separator != '.' {
		return "", false
	}
	rest = name[len(urn)+1:]
	return rest, !strings.Contains(rest, ":")
}
