package provider

const patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

// Operation is one entry of a PATCH (RFC 7644 §3.5.2), in the provider's
// spelling.
type Operation struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

// Patch is the body of a PATCH.
func Patch(operations ...Operation) Resource {
	return Resource{"schemas": []string{patchSchema}, "Operations": operations}
}
