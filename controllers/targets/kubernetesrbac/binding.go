package kubernetesrbac

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// maxSubjects is how many people one binding holds: a change writes the whole of it.
const maxSubjects = 1000

// binding is a RoleBinding, or a ClusterRoleBinding.
type binding struct {
	object client.Object
	// subjects and role point into the object.
	subjects *[]rbacv1.Subject
	role     *rbacv1.RoleRef
}

func ofNamespace(b *rbacv1.RoleBinding) *binding { return &binding{b, &b.Subjects, &b.RoleRef} }

func ofCluster(b *rbacv1.ClusterRoleBinding) *binding { return &binding{b, &b.Subjects, &b.RoleRef} }

// newBinding is one that does not exist yet.
func newBinding(p place, name string) *binding {
	meta := metav1.ObjectMeta{Namespace: p.namespace, Name: name}
	role := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: p.role.Kind, Name: p.role.Name}
	if p.namespace == "" {
		return ofCluster(&rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: role})
	}
	return ofNamespace(&rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: role})
}

func (b *binding) entitlement() string {
	return entitlementOf(b.object.GetNamespace(), b.role.Kind, b.role.Name)
}

// String is the binding in words.
func (b *binding) String() string {
	if b.object.GetNamespace() == "" {
		return "ClusterRoleBinding " + b.object.GetName()
	}
	return "RoleBinding " + b.object.GetNamespace() + "/" + b.object.GetName()
}

// users are the names of the people that are bound.
func (b *binding) users() []string {
	var names []string
	for _, s := range *b.subjects {
		if s.Kind == rbacv1.UserKind {
			names = append(names, s.Name)
		}
	}
	return names
}

func (b *binding) room() int { return max(maxSubjects-len(*b.subjects), 0) }

// with are the subjects, and these people.
func (b *binding) with(names []string) []rbacv1.Subject {
	subjects := slices.Clone(*b.subjects)
	for _, name := range names {
		subjects = append(subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name})
	}
	return subjects
}

// without are the subjects but for these people.
func (b *binding) without(names []string) []rbacv1.Subject {
	gone := map[string]bool{}
	for _, name := range names {
		gone[name] = true
	}
	return slices.DeleteFunc(slices.Clone(*b.subjects), func(s rbacv1.Subject) bool {
		return s.Kind == rbacv1.UserKind && gone[s.Name]
	})
}
