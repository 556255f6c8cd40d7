package v1alpha1

// Condition types. Ready is always present; Reconciling and Stalled only while true (the kstatus convention).
const (
	// ConditionReady says whether the object is in effect as its spec says.
	ConditionReady = "Ready"
	// ConditionStalled is present while the object cannot make progress until somebody changes something.
	ConditionStalled = "Stalled"
	// ConditionReconciling is present while work for the object is under way.
	ConditionReconciling = "Reconciling"
	// ConditionPrimary says whether a ScimDirectory grants access in its namespace.
	ConditionPrimary = "Primary"
	// ConditionTokensValid says whether a ScimDirectory has a token that an identity provider can use.
	ConditionTokensValid = "TokensValid"
	// ConditionChangesHeld is present on a ScimDirectory while its safeguard holds removals of access back.
	ConditionChangesHeld = "ChangesHeld"
	// ConditionRestored is present on a ScimDirectory that came back from a backup, until an administrator acknowledges that.
	ConditionRestored = "Restored"
	// ConditionScopesMatch says whether Argo CD looks at the claim by which an argoCD target names people.
	ConditionScopesMatch = "ScopesMatch"
	// ConditionReleased is present on a ScimGroup that an administrator has released: anybody may edit or delete it, until
	// the identity provider writes to it again.
	ConditionReleased = "Released"
)

// Condition reasons.
const (
	// ReasonReady: nothing is missing.
	ReasonReady = "Ready"
	// ReasonSuspended: the directory's spec says that SCIM calls are answered 503.
	ReasonSuspended = "Suspended"
	// ReasonDeleting: the finalizer is at work.
	ReasonDeleting = "Deleting"

	// ReasonElected: this directory is the namespace's primary.
	ReasonElected = "Elected"
	// ReasonNotRequested: spec.primary is not set.
	ReasonNotRequested = "NotRequested"
	// ReasonPrimaryConflict: another directory of the namespace holds the primary.
	ReasonPrimaryConflict = "PrimaryConflict"
	// ReasonHandingOver: this directory stays primary until its successor has taken over.
	ReasonHandingOver = "HandingOver"

	// ReasonTokensValid: every token of the directory can be used.
	ReasonTokensValid = "TokensValid"
	// ReasonNoToken: spec.tokens is empty.
	ReasonNoToken = "NoToken"
	// ReasonTokenExpired: a token's expirationTime has passed.
	ReasonTokenExpired = "TokenExpired"
	// ReasonTokenInvalid: a token's Secret is missing, of another type, or holds no token.
	ReasonTokenInvalid = "TokenInvalid"

	// ReasonTokenExpiringSoon: a token stops working within 30 days.
	ReasonTokenExpiringSoon = "TokenExpiringSoon"

	// ReasonSafeguard: more people would lose access than the safeguard lets pass.
	ReasonSafeguard = "Safeguard"
	// ReasonChangesHeld: the safeguard holds back what this object would lose.
	ReasonChangesHeld = "ChangesHeld"
	// ReasonRestored: the directory came back from a backup, and what people would gain waits until that is acknowledged.
	ReasonRestored = "Restored"
	// ReasonLastHolder: the person is the last one who has a protected role.
	ReasonLastHolder = "LastHolder"
	// ReasonLocalMemberExists: a local member has the same identifier, and users.existing is Reject.
	ReasonLocalMemberExists = "LocalMemberExists"
	// ReasonExposed: the group shows a role of the app, for the identity provider to link.
	ReasonExposed = "Exposed"
	// ReasonReserved: the group has a name that groups.reserved keeps for the app.
	ReasonReserved = "Reserved"
	// ReasonRoleNotFound: the AppRole that the group is linked to does not exist.
	ReasonRoleNotFound = "RoleNotFound"
	// ReasonReleaseRequested: an administrator has set the annotation that releases the group.
	ReasonReleaseRequested = "ReleaseRequested"

	// ReasonConflict: an older object of the directory holds the same userName or displayName.
	ReasonConflict = "Conflict"
	// ReasonDirectoryNotFound: spec.directoryRef names no ScimDirectory.
	ReasonDirectoryNotFound = "DirectoryNotFound"
	// ReasonDanglingMembers: members that no longer exist are being removed from the group.
	ReasonDanglingMembers = "DanglingMembers"
	// ReasonMembersIncomplete: not all slices of the group's epoch are visible yet.
	ReasonMembersIncomplete = "MembersIncomplete"

	// ReasonGroupNotFound: a group named in grantedTo does not exist (yet).
	ReasonGroupNotFound = "GroupNotFound"

	// ReasonProvisioned: an identity provider provisions this member.
	ReasonProvisioned = "Provisioned"
	// ReasonDeactivated: the identity provider set active to false.
	ReasonDeactivated = "Deactivated"
	// ReasonRemoved: the identity provider removed the person; what others granted stays recorded here, inactive.
	ReasonRemoved = "Removed"
	// ReasonTooManyRoles: the groups grant more roles than one AppMembership holds; some are withheld.
	ReasonTooManyRoles = "TooManyRoles"
	// ReasonNotPrimary: the person's directory is not the primary one and grants nothing.
	ReasonNotPrimary = "NotPrimary"
	// ReasonLocal: no directory manages this member.
	ReasonLocal = "Local"

	// ReasonInSync: the system holds exactly what it should of this target.
	ReasonInSync = "InSync"
	// ReasonObserved: the target's mode is Observe; status.plan says what would be changed.
	ReasonObserved = "Observed"
	// ReasonApplying: changes are being carried out.
	ReasonApplying = "Applying"
	// ReasonTargetUnreachable: the system does not answer, or not as it should.
	ReasonTargetUnreachable = "TargetUnreachable"
	// ReasonTargetRefused: the system refuses some changes.
	ReasonTargetRefused = "TargetRefused"
	// ReasonNotOurs: something that others made stands in the target's place.
	ReasonNotOurs = "NotOurs"
	// ReasonInvalidSpec: something that the spec names, or that the spec says, cannot be.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonScopesMatch and ReasonScopesMismatch: whether Argo CD looks at the claim that holds the subject.
	ReasonScopesMatch    = "ScopesMatch"
	ReasonScopesMismatch = "ScopesMismatch"
)

const (
	// FieldManager is the field manager of everything that the operator's controllers apply.
	FieldManager = "scim-operator"
	// RetainedFieldManager owns the access that people keep when their directory is deleted with
	// deletionPolicy Retain.
	RetainedFieldManager = "scim-operator-retained"
	// DirectoryFinalizer holds a ScimDirectory until its people and groups are released.
	DirectoryFinalizer = "scim-operator.io/directory"
	// TargetFinalizer holds an AppTarget until what it gave is taken back, or orphaned.
	TargetFinalizer = "scim-operator.io/target"

	// TargetSecretType is the only type of Secret that an AppTarget's credentials are read from.
	TargetSecretType = "scim-operator.io/target"
	// TargetSecretTokenKey is the key of the token that is sent to OpenFGA and Grafana.
	TargetSecretTokenKey = "token"
	// TargetSecretSigningKey is the key of the secrets with which calls of a webhook are signed.
	TargetSecretSigningKey = "signingSecret"
	// TargetSecretCAKey is the key of certificates in PEM that are trusted beside the system's.
	TargetSecretCAKey = "ca.crt"

	// TokenSecretType is the only type of Secret that is ever read as a token.
	TokenSecretType = "scim-operator.io/token"
	// TokenSecretKey is the key of a token Secret that holds the plaintext.
	TokenSecretKey = "token"
	// TokenSecretHashKey is the key of a token Secret that holds the hexadecimal SHA-256 of the token.
	TokenSecretHashKey = "tokenSHA256"
	// TokenSecretLastFourKey is the key of a token Secret that may hold the token's last four characters beside its hash.
	TokenSecretLastFourKey = "lastFour"
)

const (
	// ApproveAnnotation on a ScimDirectory releases the plan of held changes that it names (status.held.plan).
	ApproveAnnotation = "scim-operator.io/approve"
	// UIDAnnotation on a ScimDirectory is its own metadata.uid, which the operator records. Another one says that the directory
	// is a copy from a backup: nobody gains anything by it until an administrator sets the annotation to its own.
	UIDAnnotation = "scim-operator.io/uid"
	// ReleaseAnnotation with the value "true" on a ScimGroup lets anybody edit or delete it. The SCIM server takes it away
	// when the identity provider writes to the group again.
	ReleaseAnnotation = "scim-operator.io/release"
	// SnapshotAnnotation on an AppTarget of kind webhook has a snapshot of everybody sent whenever its value changes.
	SnapshotAnnotation = "scim-operator.io/snapshot"
	// RequestAnnotation is the id of the SCIM request that last changed the object, for the audit log.
	RequestAnnotation = "scim-operator.io/request"
	// TraceparentAnnotation is there while that request is traced: where its trace is to be found, as W3C Trace Context writes
	// it. On an AppMembership it names the traces of all requests that the last change follows from, separated by commas.
	TraceparentAnnotation = "scim-operator.io/traceparent"
	// RoleOfGroupLabel on an AppRole is the name of the ScimGroup that it was made for.
	RoleOfGroupLabel = "scim-operator.io/group"
	// TargetNamespaceLabel is the namespace of the AppTarget that made an object, and keeps it.
	TargetNamespaceLabel = "scim-operator.io/target-namespace"
	// TargetLabel is the name of the AppTarget that made an object, and keeps it.
	TargetLabel = "scim-operator.io/target"
)

// LastModifiedAnnotation is when the SCIM server last changed the resource (RFC 3339), for meta.lastModified. It is not
// in the spec, because it must not count as a change itself.
const LastModifiedAnnotation = "scim-operator.io/last-modified"
