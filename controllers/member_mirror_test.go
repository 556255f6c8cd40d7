package controllers

import (
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestDecideMirror(t *testing.T) {
	user := func(name string, age time.Duration) *v1alpha1.ScimUser {
		return &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{
			Name: name, CreationTimestamp: metav1.NewTime(noon.Add(-age)),
		}}
	}
	directory := func(marks string, users v1alpha1.UsersPolicy) *v1alpha1.ScimDirectory {
		d := aDirectory("okta", 1, marks)
		d.Spec.Users = users
		return &d
	}
	all := v1alpha1.UsersPolicy{Importable: v1alpha1.ImportableAll}
	local, provisioned, going := aMember("m", ""), aMember("m", "okta"), aMember("m", "")
	going.DeletionTimestamp = new(metav1.NewTime(noon))
	reclaimed := aMember("m", "okta")
	reclaimed.Spec.UserRef.Name = "b"
	one, older, leaving := user("b", time.Minute), user("c", time.Hour), user("a", time.Hour)
	leaving.DeletionTimestamp = new(metav1.NewTime(noon))

	for _, c := range []struct {
		name      string
		member    *v1alpha1.AppMembership
		directory *v1alpha1.ScimDirectory
		taken     bool
		there     []*v1alpha1.ScimUser
		missing   bool
		keep      *v1alpha1.ScimUser
		reclaims  *v1alpha1.ScimUser
		remove    string
	}{
		{name: "a local member", member: local, directory: directory("", all), missing: true},
		{name: "a local member whom existing: Reject protects", member: local, missing: true,
			directory: directory("", v1alpha1.UsersPolicy{Existing: v1alpha1.ExistingReject})},
		{name: "shown", member: local, directory: directory("", all), there: []*v1alpha1.ScimUser{one}, keep: one},
		{name: "shown twice", member: local, directory: directory("", all), keep: older, remove: "b",
			there: []*v1alpha1.ScimUser{one, older}},
		{name: "shown by one that is being deleted", member: local, directory: directory("", all), missing: true,
			there: []*v1alpha1.ScimUser{leaving}},
		{name: "no policy", member: local, directory: directory("", v1alpha1.UsersPolicy{})},
		{name: "no policy any more", member: local, directory: directory("", v1alpha1.UsersPolicy{}), remove: "b",
			there: []*v1alpha1.ScimUser{one}},
		{name: "the name is taken", member: local, directory: directory("", all), taken: true, remove: "b",
			there: []*v1alpha1.ScimUser{one}},
		{name: "the member is provisioned", member: provisioned, directory: directory("", all), remove: "b",
			there: []*v1alpha1.ScimUser{one}},
		{name: "a take-over was taken back", member: reclaimed, directory: directory("", all), reclaims: one,
			there: []*v1alpha1.ScimUser{one}},
		{name: "a take-over was taken back, and the policy is another now", member: reclaimed, reclaims: one,
			directory: directory("", v1alpha1.UsersPolicy{}), there: []*v1alpha1.ScimUser{one}},
		{name: "a take-over was taken back, and the finalizer is at work", member: reclaimed, directory: directory("d", all),
			remove: "b", there: []*v1alpha1.ScimUser{one}},
		{name: "the member is being deleted", member: going, directory: directory("", all), remove: "b",
			there: []*v1alpha1.ScimUser{one}},
		{name: "the member is gone", directory: directory("", all), remove: "b", there: []*v1alpha1.ScimUser{one}},
		{name: "the directory is being deleted", member: local, directory: directory("d", all), remove: "b",
			there: []*v1alpha1.ScimUser{one}},
		{name: "the directory is gone", member: local, remove: "b c", there: []*v1alpha1.ScimUser{one, older}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decideMirror(c.member, c.directory, c.taken, c.there)
			var removed []string
			for _, u := range d.superfluous {
				removed = append(removed, u.Name)
			}
			if d.missing != c.missing || d.keep != c.keep || d.reclaims != c.reclaims || strings.Join(removed, " ") != c.remove {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestMirrorSpec(t *testing.T) {
	m := aMember("m", "")
	m.Spec.User = v1alpha1.MemberIdentity{
		UserName: "ada", Email: "ada@example.com", DisplayName: strings.Repeat("ä", 2000), ExternalID: "another directory's",
	}
	got := mirrorSpec(m, "okta")
	if got.Origin != v1alpha1.OriginApp || got.MemberRef.Name != "m" || got.DirectoryRef.Name != "okta" || got.Active ||
		got.UserName != "ada" || got.PrimaryEmail() != "ada@example.com" || got.ExternalID != "" ||
		got.DisplayName != strings.Repeat("ä", 1024) {
		t.Errorf("%+v", got)
	}
	m.Spec.User.Email, m.Spec.Active = "", true
	if got := mirrorSpec(m, "okta"); len(got.Emails) != 0 || !got.Active {
		t.Errorf("%+v", got)
	}
}

func TestMirrorRoles(t *testing.T) {
	m := aMember("m", "")
	m.Spec.Roles = []string{"viewer", "admin"}
	if got := mirrorRoles(m); len(got) != 0 {
		t.Errorf("an inactive member has %v", got)
	}
	m.Spec.Active = true
	if got := mirrorRoles(m); !slices.Equal(got, []string{"admin", "viewer"}) {
		t.Errorf("%v", got)
	}
}

func importAll(d *v1alpha1.ScimDirectory) { d.Spec.Users.Importable = v1alpha1.ImportableAll }

// mirrorsIn are the users of origin App in a directory, sorted by userName.
func (w *world) mirrorsIn(directory string) []v1alpha1.ScimUser {
	GinkgoHelper()
	var users v1alpha1.ScimUserList
	Expect(k8s.List(w.ctx, &users, client.InNamespace(w.ns))).To(Succeed())
	shown := slices.DeleteFunc(users.Items, func(u v1alpha1.ScimUser) bool {
		return u.Spec.Origin != v1alpha1.OriginApp || u.Spec.DirectoryRef.Name != directory
	})
	slices.SortFunc(shown, func(a, b v1alpha1.ScimUser) int { return strings.Compare(a.Spec.UserName, b.Spec.UserName) })
	return shown
}

// shownIn says of each mirror in a directory what an administrator sees: "userName active [roles]".
func (w *world) shownIn(directory string) func() []string {
	return func() []string {
		GinkgoHelper()
		var words []string
		for _, u := range w.mirrorsIn(directory) {
			m := v1alpha1.AppMembership{Spec: v1alpha1.AppMembershipSpec{Active: u.Spec.Active, Roles: u.Status.Roles}}
			m.Spec.User.UserName = u.Spec.UserName
			words = append(words, inWords(&m))
		}
		return words
	}
}

// eventuallyMirror waits for the one mirror in a directory, and that it is reported on.
func (w *world) eventuallyMirror(directory string) v1alpha1.ScimUser {
	GinkgoHelper()
	Eventually(func() []v1alpha1.ScimUser { return w.mirrorsIn(directory) }).Should(
		ConsistOf(HaveField("Status.ObservedGeneration", BeNumerically(">", 0))))
	return w.mirrorsIn(directory)[0]
}

// takeOver does what the SCIM server does when the identity provider writes to a mirror.
func (w *world) takeOver(id string, edit ...func(*v1alpha1.ScimUser)) {
	GinkgoHelper()
	change(w, id, func(u *v1alpha1.ScimUser) {
		u.Spec.Origin = ""
		for _, f := range edit {
			f(u)
		}
	})
}

var _ = Describe("A local member", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld()
		w.role("admin", "Admins")
	})

	It("is shown to each directory that imports all, and to no other", func() {
		w.directory("okta", primary, importAll)
		w.directory("entra", rejectExisting)
		w.directory("third")
		w.localMember("local", "Ada@example.com", "viewer", "owner")
		change(w, "local", func(m *v1alpha1.AppMembership) {
			m.Spec.User.Email, m.Spec.User.DisplayName = "ada@example.com", "Ada"
		})
		Eventually(w.shownIn("okta")).Should(Equal([]string{"Ada@example.com active [owner viewer]"}))
		Eventually(w.shownIn("entra")).Should(Equal([]string{"Ada@example.com active [owner viewer]"}))
		Eventually(func() v1alpha1.UserAttributes { return w.mirrorsIn("okta")[0].Spec.UserAttributes }).Should(Equal(
			v1alpha1.UserAttributes{UserName: "Ada@example.com", DisplayName: "Ada", Active: true,
				Emails: []v1alpha1.MultiValue{{Value: "ada@example.com", Primary: new(true)}}}))
		u := w.eventuallyMirror("okta")
		w.eventuallyReason(w.userConditions(u.Name), v1alpha1.ConditionReady, v1alpha1.ReasonLocal)
		Expect(uuid.MustParse(u.Name).Version()).To(BeEquivalentTo(7))
		Expect(u.Name).NotTo(Equal(w.mirrorsIn("entra")[0].Name))
		Expect(w.mirrorsIn("third")).To(BeEmpty())
		Consistently(w.access).Should(Equal([]string{"Ada@example.com active [owner viewer]"}))
	})

	It("is not counted among those whom the identity provider provisioned", func() {
		w.directory("okta", primary, importAll)
		w.localMember("local", "ada@example.com")
		w.eventuallyMirror("okta")
		w.user("okta", "bob@example.com")
		count := func() []int32 {
			s := get[v1alpha1.ScimDirectory](w, "okta").Status
			return []int32{s.Users, s.ActiveUsers}
		}
		Eventually(count).Should(Equal([]int32{1, 1}))
		Consistently(count).Should(Equal([]int32{1, 1}))
	})

	It("is shown as it is now", func() {
		w.directory("okta", primary, importAll)
		w.localMember("local", "ada@example.com")
		u := w.eventuallyMirror("okta")
		change(w, "local", func(m *v1alpha1.AppMembership) {
			m.Spec.User.UserName, m.Spec.Roles = "lovelace@example.com", []string{"admin"}
		})
		Eventually(w.shownIn("okta")).Should(Equal([]string{"lovelace@example.com active [admin]"}))
		change(w, "local", func(m *v1alpha1.AppMembership) { m.Spec.Active = false })
		Eventually(w.shownIn("okta")).Should(Equal([]string{"lovelace@example.com inactive []"}))
		Expect(w.mirrorsIn("okta")[0].Name).To(Equal(u.Name))
		Expect(w.mirrorsIn("okta")[0].Annotations).To(HaveKey(v1alpha1.LastModifiedAnnotation))
	})

	It("is not written again when nothing changed", func() {
		w.directory("okta", primary, importAll)
		w.localMember("local", "ada@example.com")
		u := w.eventuallyMirror("okta")
		change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Users.Identifier = v1alpha1.IdentifierUserName })
		change(w, "local", func(m *v1alpha1.AppMembership) { m.Spec.User.ExternalID = "seen again" })
		Consistently(func() string { return get[v1alpha1.ScimUser](w, u.Name).ResourceVersion }).Should(Equal(u.ResourceVersion))
	})

	It("is no longer shown when it is gone, and under another id when its user is deleted", func() {
		w.directory("okta", primary, importAll)
		w.localMember("local", "ada@example.com")
		u := w.eventuallyMirror("okta")
		Expect(k8s.Delete(w.ctx, &u)).To(Succeed())
		Eventually(w.shownIn("okta")).Should(HaveLen(1))
		Expect(w.mirrorsIn("okta")[0].Name).NotTo(Equal(u.Name))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppMembership](w, "local"))).To(Succeed())
		Eventually(w.shownIn("okta")).Should(BeEmpty())
	})

	It("is shown as long as the policy says so", func() {
		w.directory("okta", primary, importAll)
		w.localMember("local", "ada@example.com")
		w.eventuallyMirror("okta")
		change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Users.Importable = v1alpha1.ImportableProvisioned })
		Eventually(w.shownIn("okta")).Should(BeEmpty())
		change(w, "okta", rejectExisting)
		Eventually(w.shownIn("okta")).Should(HaveLen(1))
	})

	It("is no longer shown once the directory is deleted", func() {
		w.directory("okta", primary, importAll)
		w.localMember("local", "ada@example.com", "owner")
		w.eventuallyMirror("okta")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimDirectory](w, "okta"))).To(Succeed())
		Eventually(func() any { return get[v1alpha1.ScimDirectory](w, "okta") }).Should(BeNil())
		Eventually(w.shownIn("okta")).Should(BeEmpty())
		Consistently(w.shownIn("okta")).Should(BeEmpty())
		Expect(w.access()).To(Equal([]string{"ada@example.com active [owner]"}))
	})

	DescribeTable("is not shown beside a user of the same name",
		func(identifier v1alpha1.UserIdentifier, userName, address string, taken bool) {
			w.directory("entra", importAll, func(d *v1alpha1.ScimDirectory) { d.Spec.Users.Identifier = identifier })
			w.localMember("local", "ada@example.com")
			w.eventuallyMirror("entra")
			id := w.user("entra", userName, mail(address))
			if !taken {
				Consistently(w.shownIn("entra")).Should(HaveLen(1))
				return
			}
			Eventually(w.shownIn("entra")).Should(BeEmpty())
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimUser](w, id))).To(Succeed())
			Eventually(w.shownIn("entra")).Should(HaveLen(1))
		},
		Entry("the userName", v1alpha1.IdentifierUserName, "ADA@example.com", "lovelace@example.com", true),
		Entry("the e-mail address, which identifies", v1alpha1.IdentifierEmail, "lovelace", "Ada@example.com", true),
		Entry("the userName, which is unique in any case", v1alpha1.IdentifierEmail, "ada@example.com", "lovelace@example.com", true),
		Entry("the e-mail address, which does not identify", v1alpha1.IdentifierUserName, "lovelace", "ada@example.com", false),
	)

	It("is shown alone: of two with one userName, the one that would be taken over", func() {
		w.directory("okta", primary, importAll)
		w.localMember("b", "ada@example.com", "viewer")
		w.eventuallyMirror("okta")
		w.localMember("a", "ADA@example.com", "owner")
		Eventually(w.shownIn("okta")).Should(Equal([]string{"ADA@example.com active [owner]"}))
		w.takeOver(w.mirrorsIn("okta")[0].Name)
		w.eventuallyAccess("ADA@example.com active [owner]", "ada@example.com active [viewer]")
		Eventually(func() any { return get[v1alpha1.AppMembership](w, "a").Spec.UserRef }).ShouldNot(BeNil())
		Consistently(w.shownIn("okta")).Should(BeEmpty())
	})

	Context("whom the identity provider takes over", func() {
		It("is provisioned from then on, with the roles that it has, under the id that it was shown with", func() {
			w.directory("okta", primary, importAll)
			w.localMember("local", "ada@example.com", "owner")
			u := w.eventuallyMirror("okta")
			w.group("okta", "Admins", u.Name)
			w.takeOver(u.Name, func(u *v1alpha1.ScimUser) { u.Spec.UserName = "Ada@example.com" })
			w.eventuallyAccess("Ada@example.com active [admin owner]")
			Expect(get[v1alpha1.AppMembership](w, "local").Spec.UserRef).To(Equal(
				&v1alpha1.UserReference{Directory: "okta", Name: u.Name}))
			w.eventuallyReason(w.userConditions(u.Name), v1alpha1.ConditionReady, v1alpha1.ReasonProvisioned)
			Eventually(w.shownIn("okta")).Should(BeEmpty())
		})

		It("is the person's also under a name that only the identity provider knows", func() {
			w.directory("okta", primary, importAll)
			w.localMember("local", "ada", "owner")
			u := w.eventuallyMirror("okta")
			w.takeOver(u.Name, func(u *v1alpha1.ScimUser) { u.Spec.UserName = "lovelace@example.com" })
			w.eventuallyAccess("lovelace@example.com active [owner]")
			w.setActive(u.Name, false)
			w.eventuallyAccess("lovelace@example.com inactive [owner]")
			Consistently(w.shownIn("okta")).Should(BeEmpty())
		})

		It("is local again, with the roles that it had, when the take-over is taken back", func() {
			w.directory("okta", primary, importAll)
			w.localMember("local", "ada@example.com", "owner")
			u := w.eventuallyMirror("okta")
			w.group("okta", "Admins", u.Name)
			w.takeOver(u.Name)
			w.eventuallyAccess("ada@example.com active [admin owner]")
			change(w, u.Name, func(now *v1alpha1.ScimUser) { now.Spec = u.Spec })
			w.eventuallyAccess("ada@example.com active [owner]")
			Eventually(func() any { return get[v1alpha1.AppMembership](w, "local").Spec.UserRef }).Should(BeNil())
			Eventually(w.shownIn("okta")).Should(Equal([]string{"ada@example.com active [owner]"}))
			Expect(w.mirrorsIn("okta")[0].Name).To(Equal(u.Name))
			w.eventuallyReason(w.userConditions(u.Name), v1alpha1.ConditionReady, v1alpha1.ReasonLocal)
		})

		It("is the identity provider's, whatever a slow controller has seen before", func() {
			w.directory("entra", importAll)
			w.localMember("local", "ada@example.com")
			seen := w.eventuallyMirror("entra")
			w.takeOver(seen.Name)
			taken := get[v1alpha1.ScimUser](w, seen.Name)
			r := memberMirrorReconciler{kube{Client: k8s, live: k8s, clock: clock.RealClock{}}}
			changed := get[v1alpha1.AppMembership](w, "local")
			for what, member := range map[string]func(*v1alpha1.AppMembership){
				"attributes": func(m *v1alpha1.AppMembership) { m.Spec.User.UserName = "lovelace" },
				"roles":      func(m *v1alpha1.AppMembership) { m.Spec.Roles = []string{"owner"} },
			} {
				m := changed.DeepCopy()
				member(m)
				Expect(apierrors.IsConflict(r.update(w.ctx, m, seen.DeepCopy()))).To(BeTrue(), what)
			}
			Expect(apierrors.IsConflict(r.remove(w.ctx, seen.DeepCopy()))).To(BeTrue())
			Expect(get[v1alpha1.ScimUser](w, seen.Name).Spec).To(Equal(taken.Spec))
		})
	})

	It("is shown once, also when the cache does not show it yet", func() {
		w.directory("okta", primary, importAll)
		w.localMember("local", "ada@example.com")
		u := w.eventuallyMirror("okta")
		r := memberMirrorReconciler{kube{Client: k8s, live: k8s, clock: clock.RealClock{}}}
		Expect(r.create(w.ctx, get[v1alpha1.ScimDirectory](w, "okta"), get[v1alpha1.AppMembership](w, "local"))).To(Succeed())
		Expect(w.mirrorsIn("okta")).To(ConsistOf(HaveField("Name", u.Name)))
	})

	It("is shown once, also after two leaders have shown it", func() {
		w.directory("okta", primary, importAll)
		w.localMember("local", "ada@example.com")
		w.eventuallyMirror("okta")
		w.create(&v1alpha1.ScimUser{
			ObjectMeta: metav1.ObjectMeta{Name: uuid.NewString()},
			Spec:       mirrorSpec(get[v1alpha1.AppMembership](w, "local"), "okta"),
		})
		Eventually(w.shownIn("okta")).Should(HaveLen(1))
		Consistently(w.shownIn("okta")).Should(HaveLen(1))
	})
})
