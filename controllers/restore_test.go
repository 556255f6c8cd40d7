package controllers

import (
	"reflect"
	"slices"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestRestored(t *testing.T) {
	for _, c := range []struct {
		name, recorded    string
		reported          bool
		restored, records bool
	}{
		{name: "seen for the first time", records: true},
		{name: "its own record", recorded: "own"},
		{name: "the record of another", recorded: "former", restored: true},
		{name: "the record was taken away", reported: true, restored: true},
		{name: "acknowledged, and not yet reported", recorded: "own", reported: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := aDirectory("okta", 1, "")
			d.UID = "own"
			if c.recorded != "" {
				d.Annotations = map[string]string{v1alpha1.UIDAnnotation: c.recorded}
			}
			if c.reported {
				d.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionRestored, Status: metav1.ConditionTrue}}
			}
			if restored(&d) != c.restored {
				t.Errorf("restored: %v", !c.restored)
			}
			if recordUID(&d) != c.records || c.records && d.Annotations[v1alpha1.UIDAnnotation] != "own" {
				t.Errorf("recorded: %v", d.Annotations)
			}
		})
	}
}

func TestRestoredDirectoryGivesNothing(t *testing.T) {
	grant := func(roles ...string) (grants []v1alpha1.RoleGrant) {
		for _, r := range roles {
			grants = append(grants, v1alpha1.RoleGrant{Role: r})
		}
		return grants
	}
	has := func(active bool, roles ...string) *v1alpha1.AppMembership {
		return &v1alpha1.AppMembership{Spec: v1alpha1.AppMembershipSpec{Active: active, Roles: roles}}
	}
	for _, c := range []struct {
		name   string
		member *v1alpha1.AppMembership
		active bool
		grants []v1alpha1.RoleGrant

		action action
		gets   bool
		roles  []string
		reason string
	}{
		{name: "the same", member: has(true, "admin"), active: true, grants: grant("admin"), action: provision, gets: true, roles: []string{"admin"}},
		{name: "less", member: has(true, "admin", "viewer"), active: true, grants: grant("admin"), action: provision, gets: true, roles: []string{"admin"}},
		{name: "more", member: has(true, "admin"), active: true, grants: grant("admin", "viewer"), action: provision, gets: true,
			roles: []string{"admin"}, reason: v1alpha1.ReasonRestored},
		{name: "deactivated", member: has(true, "admin"), action: provision},
		{name: "activated", member: has(false), active: true, grants: grant("admin"), action: provision, reason: v1alpha1.ReasonRestored},
		{name: "new", active: true, grants: grant("admin"), action: leave, gets: true, reason: v1alpha1.ReasonRestored},
		{name: "new and inactive", action: leave},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := aDirectory("okta", 1, "ah")
			p := person{directory: &d}
			if c.member != nil {
				p.own = []*v1alpha1.AppMembership{c.member}
			}
			got := decision{action: provision, member: c.member, active: c.active, grants: c.grants}.withoutGains(p)
			if got.action != c.action || got.active != c.gets || !slices.Equal(roleNames(got.grants), c.roles) || got.ready.reason != c.reason {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestWithoutRestorer(t *testing.T) {
	const spec = `{"f:spec":{"f:active":{},"f:roles":{".":{},`
	entry := func(manager string, operation metav1.ManagedFieldsOperationType, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	operator := entry(v1alpha1.FieldManager, metav1.ManagedFieldsOperationApply, spec+`"v:\"admin\"":{}},"f:userRef":{"f:name":{}}}}`)
	somebody := entry("somebody", metav1.ManagedFieldsOperationUpdate, `{"f:spec":{"f:roles":{"v:\"owner\"":{}}}}`)
	restorer := func(roles string) metav1.ManagedFieldsEntry {
		return entry("kubectl-create", metav1.ManagedFieldsOperationUpdate, spec+roles+`},"f:userRef":{".":{},"f:name":{}}}}`)
	}
	known := func(roles string) metav1.ManagedFieldsEntry {
		return entry("kubectl-create", metav1.ManagedFieldsOperationUpdate, `{"f:spec":{"f:roles":{`+roles+`},"f:userRef":{"f:name":{}}}}`)
	}
	for _, c := range []struct {
		name          string
		moreMayCome   bool
		before, after []metav1.ManagedFieldsEntry
	}{
		{"nobody restored it", false, []metav1.ManagedFieldsEntry{operator, somebody}, []metav1.ManagedFieldsEntry{operator, somebody}},
		{"with managedFields", true, []metav1.ManagedFieldsEntry{operator, somebody, restorer(`"v:\"admin\"":{},"v:\"owner\"":{}`)},
			[]metav1.ManagedFieldsEntry{operator, somebody}},
		{"without, so that only the restorer has what was granted by hand", false,
			[]metav1.ManagedFieldsEntry{operator, restorer(`"v:\"admin\"":{},"v:\"owner\"":{}`)},
			[]metav1.ManagedFieldsEntry{operator, somebody}},
		{"the same, while more may come", true,
			[]metav1.ManagedFieldsEntry{operator, restorer(`"v:\"admin\"":{},"v:\"owner\"":{}`)},
			[]metav1.ManagedFieldsEntry{operator, known(`"v:\"owner\"":{}`)}},
		{"when more has come", true,
			[]metav1.ManagedFieldsEntry{operator, known(`"v:\"admin\"":{},"v:\"owner\"":{}`)},
			[]metav1.ManagedFieldsEntry{operator, known(`"v:\"owner\"":{}`)}},
		{"when nothing more can come", false, []metav1.ManagedFieldsEntry{operator, known(`"v:\"owner\"":{}`)},
			[]metav1.ManagedFieldsEntry{operator, somebody}},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept, changed, err := withoutRestorer(c.before, c.moreMayCome)
			if err != nil || len(kept) != len(c.after) || changed == reflect.DeepEqual(c.before, c.after) {
				t.Fatalf("%v %v %v", kept, changed, err)
			}
			if _, again, err := withoutRestorer(kept, c.moreMayCome); err != nil || again {
				t.Errorf("once more: %v %v", again, err)
			}
			for i, e := range c.after {
				if got := kept[i].FieldsV1.GetRawString(); got != e.FieldsV1.GetRawString() {
					t.Errorf("%s: %s", kept[i].Manager, got)
				}
			}
		})
	}
}

func TestKeptBy(t *testing.T) {
	d := aDirectory("okta", 1, "")
	d.UID = "own"
	former := ownedBy(&d)
	former.UID = "former"
	for _, c := range []struct {
		name    string
		owners  []metav1.OwnerReference
		made    string
		others  bool
		keptFor types.UID
	}{
		{name: "its own", owners: []metav1.OwnerReference{ownedBy(&d)}, keptFor: "own"},
		{name: "of the directory that was", owners: []metav1.OwnerReference{former}, others: true, keptFor: "own"},
		{name: "made by the operator", made: v1alpha1.FieldManager, others: true, keptFor: "own"},
		{name: "made by the plugin", made: pluginFieldManager, others: true, keptFor: "own"},
		{name: "made by somebody", made: "Helm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{OwnerReferences: c.owners, Labels: map[string]string{managedByLabel: c.made}}}
			owners, others := keptBy(s, &d)
			if others != c.others || len(owners) > 1 || (c.keptFor != "") != (len(owners) == 1) || len(owners) == 1 && owners[0].UID != c.keptFor {
				t.Errorf("%v %v", owners, others)
			}
		})
	}
}

var _ = Describe("A member that was restored without its managedFields", func() {
	DescribeTable("loses what the identity provider takes away, and keeps what was granted by hand", func(groupComesFirst bool) {
		w := newWorld()
		w.role("admin", "Admins")
		w.role("owner")
		w.create(&v1alpha1.ScimDirectory{
			ObjectMeta: metav1.ObjectMeta{Name: "okta", Annotations: map[string]string{v1alpha1.UIDAnnotation: "former"}},
			Spec:       v1alpha1.ScimDirectorySpec{Primary: true},
		})
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionRestored, v1alpha1.ReasonRestored)
		ada := w.user("okta", "ada@example.com")
		group := ""
		comes := func() {
			group = w.group("okta", "Admins", ada)
			Eventually(func() int32 { return get[v1alpha1.ScimGroup](w, group).Status.Members }).Should(BeEquivalentTo(1))
		}
		if groupComesFirst {
			comes()
		}
		Expect(k8s.Create(w.ctx, &v1alpha1.AppMembership{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: ada},
			Spec: v1alpha1.AppMembershipSpec{
				User: v1alpha1.MemberIdentity{UserName: "ada@example.com"}, Active: true, Roles: []string{"admin", "owner"},
				UserRef: &v1alpha1.UserReference{Directory: "okta", Name: ada},
			},
		}, client.FieldOwner("kubectl-create"))).To(Succeed())
		restorers := func() []string { // fields in the words of managedFields
			var fields []string
			for _, e := range get[v1alpha1.AppMembership](w, ada).ManagedFields {
				if e.Manager == "kubectl-create" {
					set, err := fieldsOf(e)
					Expect(err).NotTo(HaveOccurred())
					set.Iterate(func(p fieldpath.Path) { fields = append(fields, p.String()) })
				}
			}
			return fields
		}
		if !groupComesFirst {
			Eventually(restorers).Should(ConsistOf(`.spec.roles[="admin"]`, `.spec.roles[="owner"]`, `.spec.userRef.name`))
			comes()
		}
		Eventually(restorers).Should(ConsistOf(`.spec.roles[="owner"]`, `.spec.userRef.name`))
		Expect(rolesAppliedBy(v1alpha1.FieldManager, get[v1alpha1.AppMembership](w, ada))).To(Equal([]string{"admin"}))
		w.removeFromGroup(group, ada)
		w.eventuallyAccess("ada@example.com active [owner]")

		change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Annotations[v1alpha1.UIDAnnotation] = string(d.UID) })
		Eventually(restorers).Should(ConsistOf(`.spec.roles[="owner"]`))
	},
		Entry("after its group", true),
		Entry("before its group", false),
	)
})
