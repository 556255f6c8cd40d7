package schema

// Bounds on what one resource may hold. Lengths count characters. The API types state the same numbers.
const (
	maxNameLength      = 1024 // userName, displayName, externalId
	maxStringLength    = 4096
	maxReferenceLength = 8192
	maxBinaryLength    = 32768

	// maxValues bounds each multi-valued attribute except the members of a group.
	maxValues = 100

	// maxExtensions bounds the extensions of one resource, less those of RFC 7643.
	maxExtensions = 16

	// Undeclared extensions are kept as sent; these are counted per extension.
	maxExtensionBytes  = 32 << 10
	maxExtensionDepth  = 32
	maxExtensionURNLen = 512
)

func (a *Attribute) maxLength() int {
	switch {
	case a.Type == Reference:
		return maxReferenceLength
	case a.Type == Binary:
		return maxBinaryLength
	case a.Name == "userName", a.Name == "displayName", a.Name == "externalId":
		return maxNameLength
	default:
		return maxStringLength
	}
}

// Exceeds reports whether n values are more than the multi-valued attribute may have.
func (a *Attribute) Exceeds(n int) bool {
	return n > maxValues && !a.unbounded
}

// oneLine tells names and identifiers, in which a line break can only be a mistake or an attack, from prose.
func (a *Attribute) oneLine() bool {
	switch a.Name {
	case "userName", "displayName", "externalId", "id", "value":
		return true
	default:
		return a.Type == Reference
	}
}
