package controllers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// toldOf are the Events on an object with one of the reasons.
func (w *world) toldOf(name string, reasons ...string) []eventsv1.Event {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns))).To(Succeed())
	return slices.DeleteFunc(list.Items, func(e eventsv1.Event) bool {
		return e.Regarding.Name != name || !slices.Contains(reasons, e.Reason)
	})
}

// forgetEvents does what Kubernetes does after an hour.
func (w *world) forgetEvents() {
	GinkgoHelper()
	Expect(k8s.DeleteAllOf(w.ctx, &eventsv1.Event{}, client.InNamespace(w.ns))).To(Succeed())
}

// grantRecord is a line of the audit log.
type grantRecord struct {
	Time, Msg, Level                                           string
	Request, Namespace, Directory, Operation, Resource, Reason string
	Granted, Revoked, Groups                                   []string
}

// audited are the records about one person.
func (w *world) audited(user string) []grantRecord {
	GinkgoHelper()
	log, err := os.ReadFile(shared.AuditLog)
	Expect(err).NotTo(HaveOccurred())
	var records []grantRecord
	lines := bytes.SplitAfter(log, []byte("\n"))
	for _, line := range lines[:len(lines)-1] {
		var r grantRecord
		Expect(json.Unmarshal(line, &r)).To(Succeed(), string(line))
		if r.Namespace == w.ns && r.Resource == "ScimUser/"+user {
			records = append(records, r)
		}
	}
	return records
}

// byRequest stamps an object as the SCIM server does when a request changes it.
func byRequest(o metav1.Object, request string) {
	o.SetAnnotations(map[string]string{
		v1alpha1.RequestAnnotation: request, v1alpha1.LastModifiedAnnotation: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
	})
}

var _ = Describe("Of a new person", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	welcomes := func(user string) func() int {
		return func() int { return len(w.toldOf(user, v1alpha1.EventUserProvisioned)) }
	}
	eventuallyProvisioned := func(user string) {
		GinkgoHelper()
		Eventually(func() *metav1.Time { return get[v1alpha1.ScimUser](w, user).Status.ProvisionedTime }).ShouldNot(BeNil())
	}

	It("exactly one Event tells, however often the person goes and comes back", func() {
		w.directory("okta", primary)
		ada := w.user("okta", "ada@example.com", func(u *v1alpha1.ScimUser) { byRequest(u, "r-1") })
		Eventually(welcomes(ada)).Should(Equal(1))
		e := w.toldOf(ada, v1alpha1.EventUserProvisioned)[0]
		Expect(e.Regarding.Kind).To(Equal("ScimUser"))
		Expect(e.Note).To(And(ContainSubstring("ScimDirectory okta "), ContainSubstring("request r-1"), Not(ContainSubstring("ada@"))))
		eventuallyProvisioned(ada)
		since := get[v1alpha1.ScimUser](w, ada).Status.ProvisionedTime

		w.forgetEvents()
		w.setActive(ada, false)
		w.eventuallyReason(w.userConditions(ada), v1alpha1.ConditionReady, v1alpha1.ReasonDeactivated)
		w.setActive(ada, true)
		w.eventuallyReason(w.userConditions(ada), v1alpha1.ConditionReady, v1alpha1.ReasonProvisioned)
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppMembership](w, ada))).To(Succeed())
		w.eventuallyAccess("ada@example.com active []")
		Consistently(welcomes(ada)).Should(BeZero())
		Expect(get[v1alpha1.ScimUser](w, ada).Status.ProvisionedTime.Equal(since)).To(BeTrue())
	})

	It("nothing is told before the person is active", func() {
		w.directory("okta", primary)
		ada := w.user("okta", "ada@example.com", func(u *v1alpha1.ScimUser) { u.Spec.Active = false })
		w.eventuallyReason(w.userConditions(ada), v1alpha1.ConditionReady, v1alpha1.ReasonDeactivated)
		Consistently(welcomes(ada)).Should(BeZero())
		Expect(get[v1alpha1.ScimUser](w, ada).Status.ProvisionedTime).To(BeNil())
		w.setActive(ada, true)
		Eventually(welcomes(ada)).Should(Equal(1))
	})

	It("nothing is told when the app has the person already", func() {
		w.directory("okta", primary)
		w.localMember("local", "ada@example.com")
		w.eventuallyReason(func() []metav1.Condition { return get[v1alpha1.AppMembership](w, "local").Status.Conditions },
			v1alpha1.ConditionReady, v1alpha1.ReasonLocal)
		ada := w.user("okta", "ada@example.com")
		eventuallyProvisioned(ada)
		Consistently(welcomes(ada)).Should(BeZero())
	})

	It("nothing is told when another directory becomes the primary one", func() {
		w.directory("okta", primary)
		w.directory("entra")
		inOkta, inEntra := w.user("okta", "ada@example.com"), w.user("entra", "ada@example.com")
		newcomer := w.user("entra", "new@example.com")
		Eventually(welcomes(inOkta)).Should(Equal(1))
		w.setPrimary("okta", false)
		w.setPrimary("entra", true)
		eventuallyProvisioned(inEntra)
		Eventually(welcomes(newcomer)).Should(Equal(1))
		Consistently(welcomes(inEntra)).Should(BeZero())
	})

	It("the Event of a leader that died right after it is the only one", func() {
		w.directory("okta", primary)
		id := uuid.NewString()
		w.create(&eventsv1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: id + ".provisioned"}, EventTime: metav1.NowMicro(),
			Regarding: corev1.ObjectReference{Kind: "ScimUser", Namespace: w.ns, Name: id},
			Type:      "Normal", Reason: v1alpha1.EventUserProvisioned, Action: "Provision",
			ReportingController: "scim-operator", ReportingInstance: "dead", Note: "the first one",
		})
		left := ac.AppMembership(id, w.ns).WithSpec(ac.AppMembershipSpec().
			WithUser(ac.MemberIdentity().WithUserName("ada@example.com")).WithActive(true).
			WithUserRef(ac.UserReference().WithDirectory("okta").WithName(id)))
		w.user("okta", "ada@example.com", func(u *v1alpha1.ScimUser) {
			u.Name = id
			Expect(k8s.Apply(w.ctx, left, client.FieldOwner(v1alpha1.FieldManager))).To(Succeed())
		})
		eventuallyProvisioned(id)
		Expect(welcomes(id)()).To(Equal(1))
		Expect(get[eventsv1.Event](w, id+".provisioned").Note).To(Equal("the first one"))
	})

	It("the Event comes although the leader died before it", func() {
		w.directory("okta", primary)
		id := uuid.NewString()
		left := ac.AppMembership(id, w.ns).WithSpec(ac.AppMembershipSpec().
			WithUser(ac.MemberIdentity().WithUserName("ada@example.com")).WithActive(true).
			WithUserRef(ac.UserReference().WithDirectory("okta").WithName(id)))
		w.user("okta", "ada@example.com", func(u *v1alpha1.ScimUser) {
			u.Name = id
			Expect(k8s.Apply(w.ctx, left, client.FieldOwner(v1alpha1.FieldManager))).To(Succeed())
		})
		Eventually(welcomes(id)).Should(Equal(1))
	})
})

var _ = Describe("Of a person's roles", func() {
	var (
		w           *world
		ada, admins string
	)
	BeforeEach(func() {
		w = newWorld()
		w.directory("okta", primary)
		w.role("admin", "Admins")
		ada = w.user("okta", "ada@example.com", func(u *v1alpha1.ScimUser) { byRequest(u, "r-user") })
		admins = w.group("okta", "Admins")
		change(w, w.home(admins, ada), func(s *v1alpha1.ScimMemberSlice) {
			byRequest(s, "r-added")
			s.Spec.Members = []string{ada}
		})
		w.eventuallyAccess("ada@example.com active [admin]")
	})

	records := func() []grantRecord {
		GinkgoHelper()
		all := w.audited(ada)
		for i := range all {
			Expect(all[i].Time).NotTo(BeEmpty())
			all[i].Time = ""
		}
		return all
	}
	record := func(change grantRecord) grantRecord {
		change.Msg, change.Level = "grant", "INFO"
		change.Namespace, change.Directory, change.Resource = w.ns, "okta", "ScimUser/"+ada
		for _, list := range []*[]string{&change.Granted, &change.Revoked, &change.Groups} {
			if *list == nil {
				*list = []string{}
			}
		}
		return change
	}
	granted := func() grantRecord {
		return record(grantRecord{Request: "r-added", Operation: "RoleGranted", Reason: "Provisioned",
			Granted: []string{"admin"}, Groups: []string{admins}})
	}
	events := func() []string {
		GinkgoHelper()
		words := []string{}
		for _, e := range w.toldOf(ada, v1alpha1.EventRoleGranted, v1alpha1.EventRoleRevoked) {
			words = append(words, e.Reason+" "+e.Regarding.Kind+" "+e.Related.Kind+" "+e.Related.Name)
		}
		slices.Sort(words)
		return words
	}

	It("each change leaves an Event and a record, and nothing else does", func() {
		Eventually(events).Should(Equal([]string{"RoleGranted ScimUser AppRole admin"}))
		Eventually(records).Should(Equal([]grantRecord{granted()}))
		Expect(w.toldOf(ada, v1alpha1.EventRoleGranted)[0].Note).To(And(ContainSubstring("ScimDirectory okta"), ContainSubstring("request r-added")))

		change(w, ada, func(u *v1alpha1.ScimUser) { u.Annotations["seen"] = "again" })
		w.group("okta", "Others", ada)
		change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Suspended = true })
		Consistently(records).Should(HaveLen(1))

		change(w, w.home(admins, ada), func(s *v1alpha1.ScimMemberSlice) {
			byRequest(s, "r-removed")
			s.Spec.Members = nil
		})
		Eventually(events).Should(Equal([]string{"RoleGranted ScimUser AppRole admin", "RoleRevoked ScimUser AppRole admin"}))
		Eventually(records).Should(Equal([]grantRecord{granted(), record(grantRecord{
			Request: "r-removed", Operation: "RoleRevoked", Reason: "Provisioned", Revoked: []string{"admin"}, Groups: []string{admins},
		})}))

		change(w, w.home(admins, ada), func(s *v1alpha1.ScimMemberSlice) {
			byRequest(s, "r-again")
			s.Spec.Members = []string{ada}
		})
		Eventually(func() (notes []string) {
			for _, e := range w.toldOf(ada, v1alpha1.EventRoleGranted) {
				notes = append(notes, e.Note)
			}
			return notes
		}).Should(ConsistOf(HaveSuffix("request r-added"), HaveSuffix("request r-again")), "none is counted with another one")
	})

	It("deactivation tells what it takes away", func() {
		change(w, ada, func(u *v1alpha1.ScimUser) {
			byRequest(u, "r-deactivated")
			u.Spec.Active = false
		})
		Eventually(records).Should(Equal([]grantRecord{granted(), record(grantRecord{
			Request: "r-deactivated", Operation: "RoleRevoked", Reason: "Deactivated", Revoked: []string{"admin"}, Groups: []string{admins},
		})}))
	})

	It("deletion tells what it takes away, by the request that left the tombstone, and nothing of what others granted", func() {
		w.grantByHand(ada, "owner")
		tombstone := &v1alpha1.ScimTombstone{ObjectMeta: metav1.ObjectMeta{Name: ada}}
		tombstone.Spec = v1alpha1.ScimTombstoneSpec{
			DirectoryRef: v1alpha1.DirectoryReference{Name: "okta"}, DeletionTime: metav1.Now(),
			IdentifierSHA256: v1alpha1.TombstoneHash(w.ns, "okta", "ada@example.com"),
		}
		byRequest(tombstone, "r-deleted")
		w.create(tombstone)
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimUser](w, ada))).To(Succeed())
		w.eventuallyAccess("ada@example.com inactive [owner]")
		Eventually(records).Should(Equal([]grantRecord{granted(), record(grantRecord{
			Request: "r-deleted", Operation: "RoleRevoked", Reason: "Removed", Revoked: []string{"admin"}, Groups: []string{admins},
		})}))
	})

	It("a deleted group leaves no request to name", func() {
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimGroup](w, admins))).To(Succeed())
		Eventually(records).Should(Equal([]grantRecord{granted(), record(grantRecord{
			Operation: "RoleRevoked", Reason: "Provisioned", Revoked: []string{"admin"}, Groups: []string{admins},
		})}))
	})

	It("the end of the directory tells what it takes away", func() {
		change(w, "okta", revoke)
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimDirectory](w, "okta"))).To(Succeed())
		Eventually(func() any { return get[v1alpha1.ScimDirectory](w, "okta") }).Should(BeNil())
		Expect(w.access()).To(BeEmpty())
		all := records()
		Expect(all).To(HaveLen(2))
		Expect(all[1]).To(And(HaveField("Reason", "Deleting"), HaveField("Revoked", []string{"admin"})))
	})

	It("nothing is told when a primary directory is succeeded by one that grants the same", func() {
		w.directory("entra")
		also := w.user("entra", "ada@example.com")
		w.group("entra", "Admins", also)
		w.setPrimary("okta", false)
		w.setPrimary("entra", true)
		Eventually(func() string { return get[v1alpha1.AppMembership](w, ada).Spec.UserRef.Name }).Should(Equal(also))
		w.eventuallyReason(w.userConditions(also), v1alpha1.ConditionReady, v1alpha1.ReasonProvisioned)
		Consistently(func() int { return len(w.audited(also)) + len(records()) }).Should(Equal(1))
	})

	It("of many at once, each has one record", func() {
		var people []string
		for i := range 40 {
			people = append(people, w.user("okta", fmt.Sprintf("p%d@example.com", i)))
		}
		w.role("viewer", "Everybody")
		w.group("okta", "Everybody", people...)
		for _, id := range people {
			Eventually(func() []grantRecord { return w.audited(id) }).ShouldNot(BeEmpty())
		}
		for _, id := range people {
			Expect(w.audited(id)).To(HaveLen(1), id)
			Eventually(func() int { return len(w.toldOf(id, v1alpha1.EventRoleGranted)) }).Should(Equal(1))
		}
	})
})
