package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/operator"
)

const (
	someone             = "alice"
	namespaceController = "system:serviceaccount:kube-system:namespace-controller"
	garbageCollector    = "system:serviceaccount:kube-system:generic-garbage-collector"
)

// guarded is one spec's namespace, with objects as the operator makes them.
type guarded struct {
	ctx      context.Context
	ns       string
	operator client.Client // the admission policies tell it by its name
}

func newGuarded() *guarded {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	config := rest.CopyConfig(installed.Plane.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: operator.Username, Groups: []string{"system:masters"}}
	asOperator, err := client.New(config, client.Options{Scheme: installed.Admin.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "guarded-"}}
	Expect(installed.Admin.Create(ctx, ns)).To(Succeed())
	return &guarded{ctx, ns.Name, asOperator}
}

// directory returns when the API server's policies know it.
func (w *guarded) directory(name string, edit ...func(*v1alpha1.ScimDirectory)) {
	GinkgoHelper()
	d := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.ns}}
	Expect(installed.Admin.Create(w.ctx, d)).To(Succeed())
	probe := fmt.Sprintf("{apiVersion: scim-operator.io/v1alpha1, kind: ScimUser, metadata: {name: probe}, spec: {directoryRef: {name: %s}, userName: probe}}", name)
	w.eventually("forbidden", someone, "create", "--dry-run=server", "-f", w.file(probe))
	w.change(d, func() {
		for _, f := range edit {
			f(d)
		}
	})
}

func (w *guarded) change(o client.Object, f func()) {
	GinkgoHelper()
	Expect(installed.Admin.Get(w.ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
	f()
	Expect(installed.Admin.Update(w.ctx, o)).To(Succeed())
}

func (w *guarded) file(manifest string) string {
	GinkgoHelper()
	path := filepath.Join(GinkgoT().TempDir(), "manifest.yaml")
	Expect(os.WriteFile(path, []byte(manifest), 0o600)).To(Succeed())
	return path
}

// create makes an object as the operator does, with the status that it has.
func (w *guarded) create(o client.Object) {
	GinkgoHelper()
	o.SetNamespace(w.ns)
	status := o.DeepCopyObject().(client.Object)
	Expect(w.operator.Create(w.ctx, o)).To(Succeed())
	if m, isMember := status.(*v1alpha1.AppMembership); isMember {
		status.SetResourceVersion(o.GetResourceVersion())
		Expect(w.operator.Status().Update(w.ctx, m)).To(Succeed())
	}
}

func (w *guarded) user(name, directory string) {
	GinkgoHelper()
	u := &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{Name: name}}
	u.Spec.DirectoryRef.Name, u.Spec.UserName, u.Spec.Active = directory, name+"@example.com", true
	w.create(u)
}

func (w *guarded) group(name, directory string) {
	GinkgoHelper()
	g := &v1alpha1.ScimGroup{ObjectMeta: metav1.ObjectMeta{Name: name}}
	g.Spec.DirectoryRef.Name, g.Spec.DisplayName = directory, name
	g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "aaaaaaaa", Shards: 1}
	w.create(g)
	s := &v1alpha1.ScimMemberSlice{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.SliceName(name, "aaaaaaaa", 0)}}
	s.Spec = v1alpha1.ScimMemberSliceSpec{DirectoryRef: g.Spec.DirectoryRef, Group: name, Epoch: "aaaaaaaa"}
	w.create(s)
}

func (w *guarded) tombstone(name, directory string) {
	GinkgoHelper()
	t := &v1alpha1.ScimTombstone{ObjectMeta: metav1.ObjectMeta{Name: name}}
	t.Spec = v1alpha1.ScimTombstoneSpec{
		DirectoryRef:     v1alpha1.DirectoryReference{Name: directory},
		IdentifierSHA256: v1alpha1.TombstoneHash(w.ns, directory, name),
		DeletionTime:     metav1.Now(),
	}
	w.create(t)
}

// member has the roles granted by the directory, and those by hand.
func (w *guarded) member(name, directory string, granted, byHand []string) {
	GinkgoHelper()
	m := &v1alpha1.AppMembership{ObjectMeta: metav1.ObjectMeta{Name: name}}
	m.Spec.User.UserName, m.Spec.Active = name+"@example.com", true
	m.Spec.Roles = append(m.Spec.Roles, granted...)
	m.Spec.Roles = append(m.Spec.Roles, byHand...)
	if directory != "" {
		m.Spec.UserRef = &v1alpha1.UserReference{Directory: directory, Name: name}
	}
	for _, role := range granted {
		m.Status.Grants = append(m.Status.Grants, v1alpha1.RoleGrant{Role: role})
	}
	w.create(m)
}

// kubectl runs it as a user to whom RBAC permits everything.
func (w *guarded) kubectl(user string, arguments ...string) (string, error) {
	GinkgoHelper()
	return installed.TryKubectl(append([]string{"--as=" + user, "--as-group=system:masters", "-n", w.ns}, arguments...)...)
}

func (w *guarded) permits(user string, arguments ...string) {
	GinkgoHelper()
	out, err := w.kubectl(user, arguments...)
	Expect(err).NotTo(HaveOccurred(), "kubectl %s: %s", strings.Join(arguments, " "), out)
}

func (w *guarded) refuses(why, user string, arguments ...string) {
	GinkgoHelper()
	out, err := w.kubectl(user, arguments...)
	Expect(err).To(HaveOccurred(), "kubectl %s: %s", strings.Join(arguments, " "), out)
	Expect(out).To(ContainSubstring(why), "kubectl %s", strings.Join(arguments, " "))
}

// eventually is refuses once the API server's policies have seen a change of the directory.
func (w *guarded) eventually(why, user string, arguments ...string) {
	GinkgoHelper()
	Eventually(func() string {
		out, _ := w.kubectl(user, arguments...)
		return out
	}).Should(ContainSubstring(why), "kubectl %s", strings.Join(arguments, " "))
}

func patch(kind, name, merge string) []string {
	return []string{"patch", kind, name, "--type=merge", "-p", merge}
}

func patchStatus(kind, name, merge string) []string {
	return append(patch(kind, name, merge), "--subresource=status")
}

var _ = Describe("What the identity provider owns", func() {
	var w *guarded

	BeforeEach(func() {
		w = newGuarded()
		w.directory("okta")
		w.directory("entra", func(d *v1alpha1.ScimDirectory) { d.Spec.LocalEdits = v1alpha1.LocalEditsAllow })
	})

	It("is read-only to everybody else, who are told where to change it", func() {
		w.user("ada", "okta")
		w.group("staff", "okta")
		w.tombstone("gone", "okta")
		out, err := w.kubectl(someone, "edit", "scimuser", "ada")
		Expect(err).To(HaveOccurred())
		Expect(out).To(ContainSubstring("ScimUser ada of ScimDirectory okta belongs to its identity provider: " +
			"make the change there, or set spec.localEdits: Allow in the ScimDirectory"))

		for _, kind := range []string{"scimuser/ada", "scimgroup/staff", "scimslice/staff-aaaaaaaa-0", "scimtombstone/gone"} {
			resource, name, _ := strings.Cut(kind, "/")
			for _, change := range []string{
				`{"metadata":{"labels":{"a":"b"}}}`,
				`{"metadata":{"annotations":{"a":"b"}}}`,
				`{"metadata":{"finalizers":["example.com/held"]}}`,
				`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"x"}]}}`,
			} {
				w.refuses("of ScimDirectory okta", someone, patch(resource, name, change)...)
			}
			w.refuses("of ScimDirectory okta", someone, "delete", kind)
			w.permits(someone, patch(resource, name, `{}`)...)
		}
		w.refuses("of ScimDirectory okta", someone, patch("scimgroup", "staff", `{"spec":{"displayName":"Board"}}`)...)
		w.refuses("of ScimDirectory okta", someone, patch("scimslice", "staff-aaaaaaaa-0", `{"spec":{"members":["eve"]}}`)...)
		w.refuses("the operator deletes it in its time", someone, "delete", "scimtombstone", "gone")
		for _, manifest := range []string{
			"{kind: ScimUser, metadata: {name: eve}, spec: {directoryRef: {name: okta}, userName: eve}",
			"{kind: ScimGroup, metadata: {name: board}, spec: {directoryRef: {name: okta}, displayName: Board}",
			"{kind: ScimMemberSlice, metadata: {name: board-bbbbbbbb-0}, spec: {directoryRef: {name: okta}, group: board, epoch: bbbbbbbb, shard: 0}",
		} {
			w.refuses("of ScimDirectory okta", someone, "create", "-f", w.file(manifest+", apiVersion: scim-operator.io/v1alpha1}"))
		}
	})

	It("has a status that nobody else writes", func() {
		w.user("ada", "okta")
		w.group("staff", "okta")
		w.member("ada", "okta", []string{"admin"}, nil)
		for _, kind := range []string{"scimuser", "appmembership"} {
			w.refuses("its status is written by the operator alone", someone, patchStatus(kind, "ada", `{"status":{"observedGeneration":9}}`)...)
		}
		w.permits(someone, "annotate", "scimgroup", "staff", "scim-operator.io/release=true")
		w.refuses("its status is written by the operator alone", someone, patchStatus("scimgroup", "staff", `{"status":{"members":9}}`)...)
		w.permits(operator.Username, patchStatus("scimgroup", "staff", `{"status":{"members":9}}`)...)
	})

	It("goes with its namespace, and with what the garbage collector collects", func() {
		for _, cleaner := range []string{namespaceController, garbageCollector} {
			w.user("ada", "okta")
			w.member("ada", "okta", nil, nil)
			w.refuses("of ScimDirectory okta", cleaner, "edit", "scimuser", "ada")
			w.refuses("by ScimDirectory okta", cleaner, patch("appmembership", "ada", `{"spec":{"active":false}}`)...)
			w.permits(cleaner, "delete", "scimuser/ada", "appmembership/ada")
		}
	})

	It("can be edited where the directory allows it", func() {
		w.user("ada", "entra")
		w.group("staff", "entra")
		w.member("ada", "entra", []string{"admin"}, nil)
		Eventually(func() error {
			_, err := w.kubectl(someone, "edit", "scimuser", "ada")
			return err
		}).Should(Succeed())
		w.permits(someone, patch("scimslice", "staff-aaaaaaaa-0", `{"spec":{"members":["eve"]}}`)...)
		w.permits(someone, patch("appmembership", "ada", `{"spec":{"active":false,"roles":[]}}`)...)
		w.permits(someone, "delete", "scimuser/ada", "scimgroup/staff", "appmembership/ada")
	})

	It("can be edited and deleted when it is a group that an administrator has released", func() {
		w.group("staff", "okta")
		w.refuses("kubectl annotate scimgroup staff -n "+w.ns+" scim-operator.io/release=true", someone, "delete", "scimgroup", "staff")
		w.refuses("of ScimDirectory okta", someone, "annotate", "scimgroup", "staff", "scim-operator.io/release=true", "a=b")
		w.refuses("of ScimDirectory okta", someone, "annotate", "scimslice", "staff-aaaaaaaa-0", "scim-operator.io/release=true")
		w.permits(someone, "annotate", "scimgroup", "staff", "scim-operator.io/release=true")
		w.permits(someone, patch("scimgroup", "staff", `{"spec":{"displayName":"Board"}}`)...)
		w.refuses("of ScimDirectory okta", someone, "delete", "scimslice", "staff-aaaaaaaa-0")
		w.permits(someone, "annotate", "scimgroup", "staff", "scim-operator.io/release-")
		w.refuses("of ScimDirectory okta", someone, "delete", "scimgroup", "staff")
		w.permits(someone, "annotate", "scimgroup", "staff", "scim-operator.io/release=no")
		w.refuses("of ScimDirectory okta", someone, "delete", "scimgroup", "staff")
		w.permits(someone, "annotate", "--overwrite", "scimgroup", "staff", "scim-operator.io/release=true")
		w.permits(operator.Username, "annotate", "scimslice", "staff-aaaaaaaa-0", "scim-operator.io/release=true")
		w.permits(someone, "delete", "scimgroup/staff", "scimslice/staff-aaaaaaaa-0")
	})

	It("says of what the app has which of its objects to change", func() {
		u := &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{Name: "bob"}}
		u.Spec.DirectoryRef.Name, u.Spec.UserName, u.Spec.Origin = "okta", "bob@example.com", v1alpha1.OriginApp
		u.Spec.MemberRef = &v1alpha1.MemberReference{Name: "bob-in-the-app"}
		w.create(u)
		g := &v1alpha1.ScimGroup{ObjectMeta: metav1.ObjectMeta{Name: "admins"}}
		g.Spec.DirectoryRef.Name, g.Spec.DisplayName, g.Spec.Origin = "okta", "Administrators", v1alpha1.OriginApp
		g.Spec.RoleRef = &v1alpha1.RoleReference{Name: "admin"}
		w.create(g)
		w.refuses("change AppMembership bob-in-the-app instead", someone, "edit", "scimuser", "bob")
		w.refuses("change AppRole admin instead", someone, "delete", "scimgroup", "admins")
	})
})

var _ = Describe("The AppMembership of somebody from an identity provider", func() {
	var w *guarded

	BeforeEach(func() {
		w = newGuarded()
		w.directory("okta")
	})

	It("takes roles, labels and annotations from anybody, and nothing else", func() {
		w.member("ada", "okta", []string{"admin", "developer"}, []string{"support"})
		w.permits(someone, "label", "appmembership", "ada", "team=blue")
		w.permits(someone, "annotate", "appmembership", "ada", "note=x")
		w.permits(someone, patch("appmembership", "ada", `{"spec":{"roles":["admin","billing","developer"]}}`)...)
		w.permits(someone, "apply", "--server-side", "--field-manager=alice", "-f", w.file(
			"{apiVersion: scim-operator.io/v1alpha1, kind: AppMembership, metadata: {name: ada}, spec: {user: {userName: ada@example.com}, roles: [support]}}"))
		for change, why := range map[string]string{
			`{"spec":{"user":{"email":"eve@example.com"}}}`: "change user and active in the identity provider",
			`{"spec":{"active":false}}`:                     "change user and active in the identity provider",
			`{"spec":{"userRef":{"name":"eve"}}}`:           "only the operator sets userRef",
			`{"spec":{"userRef":{"directory":"entra"}}}`:    "only the operator sets userRef",
			`{"spec":{"userRef":null}}`:                     "only the operator sets userRef",
			`{"spec":{"roles":["admin","support"]}}`:        "the role developer is granted there; take the person out of its group",
			`{"spec":{"roles":null}}`:                       "the role admin is granted there",
			`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"x"}]}}`: "it can have no owner",
		} {
			w.refuses("AppMembership ada is provisioned by ScimDirectory okta: "+why, someone, patch("appmembership", "ada", change)...)
		}
		w.refuses("remove the person in the identity provider", someone, "delete", "appmembership", "ada")
		w.permits(operator.Username, patch("appmembership", "ada", `{"spec":{"active":false,"roles":null}}`)...)
		w.permits(operator.Username, "delete", "appmembership", "ada")
	})

	It("can have a thousand roles from its directory and be given another in place of one", func() {
		var granted []string
		for i := range v1alpha1.MaxRoles - 1 {
			granted = append(granted, fmt.Sprintf("%0250d", i))
		}
		w.member("ada", "okta", granted, []string{"support"})
		patchRoles := func(roles ...string) []string {
			return []string{"patch", "appmembership", "ada", "--type=merge", "--patch-file", w.file(`{"spec":{"roles":["` + strings.Join(roles, `","`) + `"]}}`)}
		}
		w.permits(someone, patchRoles(append(granted, "billing")...)...)
		w.refuses("the role "+granted[0]+" is granted there", someone, patchRoles(granted[1:]...)...)
	})

	It("is made by the operator alone, while those of local people are anybody's", func() {
		local := "{apiVersion: scim-operator.io/v1alpha1, kind: AppMembership, metadata: {name: bob}, spec: {user: {userName: bob@example.com}"
		w.refuses("only the operator sets userRef; leave it out for a local member", someone,
			"create", "-f", w.file(local+", userRef: {directory: okta, name: bob}}}"))
		w.permits(someone, "create", "-f", w.file(local+", roles: [admin]}}"))
		w.permits(someone, "edit", "appmembership", "bob")
		w.permits(someone, patch("appmembership", "bob", `{"spec":{"active":false,"roles":null}}`)...)
		w.refuses("only the operator sets userRef", someone, patch("appmembership", "bob", `{"spec":{"userRef":{"directory":"okta","name":"bob"}}}`)...)
		w.permits(someone, "delete", "appmembership", "bob")
	})

	It("is the only one that can be made while the directory in charge denies members just in time", func() {
		okta := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Name: "okta", Namespace: w.ns}}
		w.change(okta, func() { okta.Spec.Users.JustInTime = v1alpha1.JustInTimeDenied })
		bob := w.file("{apiVersion: scim-operator.io/v1alpha1, kind: AppMembership, metadata: {name: bob}, spec: {user: {userName: bob@example.com}}}")
		create := func(flags ...string) []string { return append([]string{"create", "-f", bob}, flags...) }

		By("permitting it while another directory, or none, is in charge")
		w.permits(someone, create()...)

		Expect(installed.Admin.Get(w.ctx, client.ObjectKeyFromObject(okta), okta)).To(Succeed())
		okta.Status.Primary = true
		Expect(installed.Admin.Status().Update(w.ctx, okta)).To(Succeed())
		w.eventually("ScimDirectory okta is in charge of who is in this app, and says users.justInTime: Denied; "+
			"assign the person to the app in the identity provider instead", someone, create("--dry-run=server")...)

		By("leaving those who are there editable")
		w.permits(someone, "edit", "appmembership", "bob")
		w.permits(someone, "delete", "appmembership", "bob")

		By("leaving those of a directory to that directory")
		w.directory("entra", func(d *v1alpha1.ScimDirectory) { d.Spec.LocalEdits = v1alpha1.LocalEditsAllow })
		eve := w.file("{apiVersion: scim-operator.io/v1alpha1, kind: AppMembership, metadata: {name: eve}, " +
			"spec: {user: {userName: eve@example.com}, userRef: {directory: entra, name: eve}}}")
		Eventually(func() (string, error) { return w.kubectl(someone, "create", "-f", eve) }).Should(ContainSubstring("created"))

		By("letting the operator make members")
		w.permits(operator.Username, create()...)
		w.member("ada", "okta", nil, nil)
	})
})
