package schema

// Group is the resource type of groups (RFC 7643 §4.2).
var Group = newResourceType("Group", "/Groups", "Groups of users.", &Schema{
	ID:          GroupURN,
	Name:        "Group",
	Description: "A group and who is in it.",
	Attributes: []Attribute{
		text("displayName", "The name of the group; unique in the directory, compared without case.").required().unique(),
		complexOf("members", "Who is in the group.",
			text("value", "The id of the user or group.").exact().required().immutable(),
			reference("$ref", "Where the member is found.", "User", "Group").readOnly(),
			text("type", "What the member is.").canonical("User", "Group").immutable(),
			text("display", "The member's name to show.").readOnly(),
		).multiple().anyNumber(),
	},
})
