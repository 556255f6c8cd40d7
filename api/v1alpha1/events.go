package v1alpha1

// Reasons of the Kubernetes Events on a ScimUser or ScimGroup, which the audit log names too. The note of each says by
// which directory. docs/auditing.md sets them beside the events of Okta's System Log.
const (
	// EventUserCreated: the identity provider created the user.
	EventUserCreated = "UserCreated"
	// EventUserLinked: the identity provider took over a person whom the app had.
	EventUserLinked = "UserLinked"
	// EventUserUpdated: attributes of the user changed.
	EventUserUpdated = "UserUpdated"
	// EventUserDeactivated: active became false.
	EventUserDeactivated = "UserDeactivated"
	// EventUserReactivated: active became true, or a deleted user came back.
	EventUserReactivated = "UserReactivated"
	// EventUserDeleted: the user was deleted.
	EventUserDeleted = "UserDeleted"
	// EventUserProvisioned: the user became an active member of the app for the first time. There is exactly one for each
	// user, so that it can start an invitation.
	EventUserProvisioned = "UserProvisioned"

	// EventGroupCreated: the identity provider created the group.
	EventGroupCreated = "GroupCreated"
	// EventGroupLinked: the identity provider linked a group that shows a role of the app.
	EventGroupLinked = "GroupLinked"
	// EventGroupUpdated: attributes of the group changed.
	EventGroupUpdated = "GroupUpdated"
	// EventGroupDeleted: the group was deleted.
	EventGroupDeleted = "GroupDeleted"
	// EventGroupReleased: an administrator released the group.
	EventGroupReleased = "GroupReleased"
	// EventMemberAdded: on the group and on the user: the user became a member.
	EventMemberAdded = "MemberAdded"
	// EventMemberRemoved: on the group and on the user: the user is a member no longer.
	EventMemberRemoved = "MemberRemoved"

	// EventRoleGranted: the person has the role in the app now.
	EventRoleGranted = "RoleGranted"
	// EventRoleRevoked: the person no longer has the role through the directory.
	EventRoleRevoked = "RoleRevoked"
)

// Reasons of the Kubernetes Events on a ScimDirectory.
const (
	// EventPrimaryElected: the directory grants access now.
	EventPrimaryElected = "PrimaryElected"
	// EventTokenScopeMissing: a token lacked the scope that a call needs.
	EventTokenScopeMissing = "TokenScopeMissing"
	// EventTokenErased: the plaintext of a token was replaced by its hash.
	EventTokenErased = "TokenErased"
	// EventChangesHeld: the safeguard holds removals of access back.
	EventChangesHeld = "ChangesHeld"
	// EventRestored: the directory came back from a backup and waits to be acknowledged.
	EventRestored = "Restored"
	// EventChangesReleased: an administrator approved held changes.
	EventChangesReleased = "ChangesReleased"
)

// Reasons of the Kubernetes Events on an AppTarget. A condition that changes is told with its own reason.
const (
	// EventDriftCorrected: what others changed in the system was put right.
	EventDriftCorrected = "DriftCorrected"
)
