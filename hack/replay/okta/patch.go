package okta

const patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

// operation is one entry of a PATCH (RFC 7644 §3.5.2), in Okta's spelling.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

func patch(operations ...operation) Resource {
	return Resource{"schemas": []string{patchSchema}, "Operations": operations}
}
