package controllers

import (
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// provision makes the person's member as the decision says, or leaves it when it is, and reports it in its status.
func (r *membershipReconciler) provision(ctx context.Context, p person, d decision) (*v1alpha1.AppMembership, error) {
	want := v1alpha1.AppMembershipSpec{
		User:    identityOf(p.user),
		Active:  d.active,
		Roles:   roleNames(d.grants),
		UserRef: &v1alpha1.UserReference{Directory: p.directory.Name, Name: p.id},
	}
	m := d.member
	var before []v1alpha1.RoleGrant
	if m != nil {
		before = m.Status.Grants
	}
	request := r.requestFor(ctx, p.namespace, p.id, before, d.grants)
	if m == nil || !asWanted(m, p.has, want) {
		name := p.id
		if m != nil {
			name = m.Name
		}
		var err error
		if m, err = r.applyMember(ctx, memberConfig(name, p.namespace, m, want), v1alpha1.FieldManager); err != nil {
			return nil, err
		}
	}
	reason, message := v1alpha1.ReasonProvisioned, "ScimDirectory "+p.directory.Name+" provisions this member"
	if !d.active {
		reason, message = v1alpha1.ReasonDeactivated, "ScimDirectory "+p.directory.Name+" deactivated this member"
	}
	ready := readiness{ready: true, reason: reason, message: message}
	kept := d.kept
	if kept.reason == "" && kept.anything() && hasReason(m, v1alpha1.ReasonChangesHeld) {
		kept.reason = v1alpha1.ReasonChangesHeld // still, until the safeguard says otherwise: a restart goes by this mark
	}
	if kept.reason != "" {
		ready = kept.memberReadiness(p.directory.Name)
	}
	return m, r.writeMemberStatus(ctx, m, p.directory.Name, d.grants, ready, request)
}

// asWanted says whether an apply of want would change nothing, given the roles that the operator owns.
func asWanted(m *v1alpha1.AppMembership, owned []string, want v1alpha1.AppMembershipSpec) bool {
	return isProvisioned(m) && m.Spec.User == want.User && m.Spec.Active == want.Active &&
		m.Spec.UserRef != nil && *m.Spec.UserRef == *want.UserRef &&
		slices.Equal(owned, want.Roles)
}

// releaseMember takes away what the operator granted. A member that has nothing else is deleted; one with roles that
// others granted stays, inactive, so that they are on record.
func (k kube) releaseMember(ctx context.Context, m *v1alpha1.AppMembership) error {
	request := k.requestOf(ctx, m, nil)
	m, err := k.revokeRoles(ctx, m, nil, false)
	if err != nil {
		return err
	}
	if len(m.Spec.Roles) == 0 {
		return k.removeMember(ctx, m, v1alpha1.ReasonRemoved, request)
	}
	return k.writeMemberStatus(ctx, m, m.Spec.UserRef.Directory, nil, readiness{
		ready: true, reason: v1alpha1.ReasonRemoved,
		message: "the identity provider removed this person; the roles that remain were granted by others and count for nothing",
	}, request)
}

// keepMember takes away what the operator granted to an active member, but for what is kept, and says why that is.
func (k kube) keepMember(ctx context.Context, m *v1alpha1.AppMembership, kept keep) error {
	request := k.requestOf(ctx, m, grantsOf(m, kept.roles))
	m, err := k.revokeRoles(ctx, m, kept.roles, true)
	if err != nil || kept.reason == "" {
		return err
	}
	directory := m.Spec.UserRef.Directory
	return k.writeMemberStatus(ctx, m, directory, grantsOf(m, kept.roles), kept.memberReadiness(directory), request)
}

// revokeRoles takes away the roles that the operator granted, but for those to keep, and leaves the member active or not.
func (k kube) revokeRoles(ctx context.Context, m *v1alpha1.AppMembership, keep []string, active bool,
) (*v1alpha1.AppMembership, error) {
	owned, err := rolesAppliedBy(v1alpha1.FieldManager, m)
	if err != nil {
		return nil, err
	}
	left := slices.DeleteFunc(slices.Clone(owned), func(role string) bool { return !slices.Contains(keep, role) })
	if m.Spec.Active == active && len(left) == len(owned) {
		return m, nil
	}
	want := v1alpha1.AppMembershipSpec{User: m.Spec.User, Active: active, Roles: left, UserRef: m.Spec.UserRef}
	return k.applyMember(ctx, memberConfig(m.Name, m.Namespace, m, want), v1alpha1.FieldManager)
}

// memberConfig applies spec to the member seen, and to no other version of it; seen is nil for a member to be made.
func memberConfig(name, namespace string, seen *v1alpha1.AppMembership, spec v1alpha1.AppMembershipSpec,
) *ac.AppMembershipApplyConfiguration {
	user := ac.MemberIdentity().WithUserName(spec.User.UserName)
	user.Email = ptrUnlessEmpty(spec.User.Email)
	user.DisplayName = ptrUnlessEmpty(spec.User.DisplayName)
	user.ExternalID = ptrUnlessEmpty(spec.User.ExternalID)
	applied := ac.AppMembershipSpec().WithUser(user).WithActive(spec.Active).WithRoles(spec.Roles...)
	if ref := spec.UserRef; ref != nil {
		applied.WithUserRef(ac.UserReference().WithDirectory(ref.Directory).WithName(ref.Name))
	}
	cfg := ac.AppMembership(name, namespace).WithSpec(applied)
	if seen != nil {
		cfg.WithUID(seen.UID).WithResourceVersion(seen.ResourceVersion)
	}
	return cfg
}

func ptrUnlessEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return new(s)
}

func (k kube) applyMember(ctx context.Context, cfg *ac.AppMembershipApplyConfiguration, manager string,
) (*v1alpha1.AppMembership, error) {
	mark(ctx, cfg)
	if err := k.Apply(ctx, cfg, client.FieldOwner(manager), client.ForceOwnership); err != nil {
		return nil, err
	}
	return memberFrom(cfg)
}
