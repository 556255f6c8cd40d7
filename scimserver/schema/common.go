package schema

// common are the attributes of every resource (RFC 7643 §3, §3.1), which no schema lists.
// A client may send `schemas`, but the list follows from what is stored.
func common() []Attribute {
	return []Attribute{
		text("schemas", "The schemas whose attributes the resource has.").multiple().readOnly().always(),
		text("id", "The identifier that the service provider gave the resource.").exact().readOnly().unique().always(),
		text("externalId", "The identifier that the provisioning client gave the resource.").exact(),
		complexOf("meta", "What the service provider knows about the resource itself.",
			text("resourceType", "The name of the resource's type.").exact(),
			dateTime("created", "When the resource was created."),
			dateTime("lastModified", "When the resource was last changed."),
			reference("location", "Where the resource is found.", "uri"),
			text("version", "The version of the resource, its entity tag.").exact(),
		).readOnly(),
	}
}
