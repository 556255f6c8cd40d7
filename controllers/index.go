package controllers

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// Names of the indexes; the cache keeps each per namespace.
const (
	// byDirectory: ScimUsers, ScimTombstones, ScimGroups and ScimMemberSlices by their directory, AppMemberships by the one of
	// userRef.
	byDirectory = "directory"
	// byUserName and byEmail: ScimUsers (userKey) and AppMemberships (memberKey) by what identifies them under each policy.
	byUserName = string(v1alpha1.IdentifierUserName)
	byEmail    = string(v1alpha1.IdentifierEmail)
	// byMember: ScimUsers of origin App by the AppMembership that they stand for.
	byMember = "member"
	// byUser: AppMemberships by the ScimUser that they are provisioned from.
	byUser = "user"
	// byActiveRole: active AppMemberships by each of their roles.
	byActiveRole = "activeRole"
	// byDisplayName: ScimGroups by directory and displayName without case (groupKey), AppRoles by what they are called
	// without case.
	byDisplayName = "displayName"
	// byExternalID: ScimGroups by directory and externalId (groupKey).
	byExternalID = "externalId"
	// byRole: ScimGroups by the AppRole of roleRef.
	byRole = "role"
	// byGroup: ScimMemberSlices by their group, AppRoles by the group that they were made for.
	byGroup = "group"
	// bySecret: ScimDirectories by the Secrets of their tokens.
	bySecret = "secret"
)

// fieldRole is the field by which the API server selects ScimGroups, where the cache has the index byRole.
const fieldRole = "spec.roleRef.name"

// groupKey is what byDisplayName and byExternalID hold. No directory's name holds a slash.
func groupKey(directory, value string) string { return directory + "/" + value }

var indexes = []struct {
	kind    client.Object
	name    string
	extract client.IndexerFunc
}{
	{&v1alpha1.ScimUser{}, byDirectory, func(o client.Object) []string {
		return []string{o.(*v1alpha1.ScimUser).Spec.DirectoryRef.Name}
	}},
	{&v1alpha1.ScimUser{}, byUserName, identifiesUser(v1alpha1.IdentifierUserName)},
	{&v1alpha1.ScimUser{}, byEmail, identifiesUser(v1alpha1.IdentifierEmail)},
	{&v1alpha1.ScimUser{}, byMember, func(o client.Object) []string {
		if u := o.(*v1alpha1.ScimUser); fromApp(u) && u.Spec.MemberRef != nil {
			return []string{u.Spec.MemberRef.Name}
		}
		return nil
	}},
	{&v1alpha1.ScimTombstone{}, byDirectory, func(o client.Object) []string {
		return []string{o.(*v1alpha1.ScimTombstone).Spec.DirectoryRef.Name}
	}},
	{&v1alpha1.ScimGroup{}, byDirectory, func(o client.Object) []string {
		return []string{o.(*v1alpha1.ScimGroup).Spec.DirectoryRef.Name}
	}},
	{&v1alpha1.ScimGroup{}, byDisplayName, func(o client.Object) []string {
		spec := &o.(*v1alpha1.ScimGroup).Spec
		return []string{groupKey(spec.DirectoryRef.Name, schema.Fold(spec.DisplayName))}
	}},
	{&v1alpha1.ScimGroup{}, byExternalID, func(o client.Object) []string {
		spec := &o.(*v1alpha1.ScimGroup).Spec
		if spec.ExternalID == "" {
			return nil
		}
		return []string{groupKey(spec.DirectoryRef.Name, spec.ExternalID)}
	}},
	{&v1alpha1.ScimGroup{}, byRole, func(o client.Object) []string {
		if ref := o.(*v1alpha1.ScimGroup).Spec.RoleRef; ref != nil {
			return []string{ref.Name}
		}
		return nil
	}},
	{&v1alpha1.AppRole{}, byDisplayName, func(o client.Object) []string {
		return []string{schema.Fold(calledInSpec(o.(*v1alpha1.AppRole)))}
	}},
	{&v1alpha1.AppRole{}, byGroup, func(o client.Object) []string {
		if group := o.GetLabels()[v1alpha1.RoleOfGroupLabel]; group != "" {
			return []string{group}
		}
		return nil
	}},
	{&v1alpha1.ScimMemberSlice{}, byDirectory, func(o client.Object) []string {
		return []string{o.(*v1alpha1.ScimMemberSlice).Spec.DirectoryRef.Name}
	}},
	{&v1alpha1.ScimMemberSlice{}, byGroup, func(o client.Object) []string {
		return []string{o.(*v1alpha1.ScimMemberSlice).Spec.Group}
	}},
	{&v1alpha1.AppMembership{}, byDirectory, func(o client.Object) []string {
		if ref := o.(*v1alpha1.AppMembership).Spec.UserRef; ref != nil {
			return []string{ref.Directory}
		}
		return nil
	}},
	{&v1alpha1.AppMembership{}, byUser, func(o client.Object) []string {
		if ref := o.(*v1alpha1.AppMembership).Spec.UserRef; ref != nil {
			return []string{ref.Name}
		}
		return nil
	}},
	{&v1alpha1.AppMembership{}, byUserName, identifiesMember(v1alpha1.IdentifierUserName)},
	{&v1alpha1.AppMembership{}, byEmail, identifiesMember(v1alpha1.IdentifierEmail)},
	{&v1alpha1.AppMembership{}, byActiveRole, func(o client.Object) []string {
		if spec := &o.(*v1alpha1.AppMembership).Spec; spec.Active {
			return spec.Roles
		}
		return nil
	}},
	{&v1alpha1.ScimDirectory{}, bySecret, func(o client.Object) []string {
		var names []string
		for _, t := range o.(*v1alpha1.ScimDirectory).Spec.Tokens {
			names = append(names, t.SecretRef.Name)
		}
		return names
	}},
}

func identifiesUser(identifier v1alpha1.UserIdentifier) client.IndexerFunc {
	return func(o client.Object) []string {
		spec := &o.(*v1alpha1.ScimUser).Spec
		return []string{userKey(spec.DirectoryRef.Name, spec, identifier)}
	}
}

func identifiesMember(identifier v1alpha1.UserIdentifier) client.IndexerFunc {
	return func(o client.Object) []string {
		return []string{memberKey(&o.(*v1alpha1.AppMembership).Spec.User, identifier)}
	}
}

func registerIndexes(mgr manager.Manager) error {
	for _, i := range indexes {
		if err := mgr.GetFieldIndexer().IndexField(context.Background(), i.kind, i.name, i.extract); err != nil {
			return fmt.Errorf("index %T by %s: %w", i.kind, i.name, err)
		}
	}
	return nil
}
