package controllers

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("A directory", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	tokenMessage := func(name string) func() string {
		return func() string {
			c := meta.FindStatusCondition(w.directoryConditions(name)(), v1alpha1.ConditionTokensValid)
			if c == nil {
				return ""
			}
			return c.Message
		}
	}

	It("shows the base URL and what is known of its token", func() {
		w.directory("okta")
		status := get[v1alpha1.ScimDirectory](w, "okta").Status
		Expect(status.BaseURL).To(Equal("https://scim.example.com/scim/v2/" + w.ns + "/okta"))
		Expect(status.Tokens).To(ConsistOf(v1alpha1.DirectoryTokenStatus{
			Name: "idp", State: v1alpha1.TokenValid, LastFour: validToken[len(validToken)-4:],
		}))
		Expect(meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
		Expect(meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionStalled)).To(BeNil())
	})

	It("is stalled without a token, and says which Secret is missing", func() {
		w.directory("okta")
		Expect(k8s.Delete(w.ctx, get[corev1.Secret](w, "okta-token"))).To(Succeed())
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionStalled, v1alpha1.ReasonTokenInvalid)
		Eventually(tokenMessage("okta")).Should(ContainSubstring(
			`token "idp": no Secret "okta-token" of type scim-operator.io/token in this namespace`))
		change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens = nil })
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionReady, v1alpha1.ReasonNoToken)
	})

	It("never reads a Secret of another type, and says so", func() {
		w.create(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "opaque"}, StringData: map[string]string{"token": validToken},
		})
		w.directory("okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens[0].SecretRef.Name = "opaque" })
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionTokensValid, v1alpha1.ReasonTokenInvalid)
		Expect(tokenMessage("okta")()).To(Equal(
			`token "idp": Secret "opaque" is of type Opaque; a token must be of type scim-operator.io/token`))
	})

	It("generates the token that is asked for, once", func() {
		w.directory("okta", func(d *v1alpha1.ScimDirectory) {
			d.Spec.Tokens[0].SecretRef.Name = "made"
			d.Spec.Tokens[0].Generate = true
		})
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		s := get[corev1.Secret](w, "made")
		token := string(s.Data["token"])
		Expect(s.Type).To(BeEquivalentTo(v1alpha1.TokenSecretType))
		Expect(s.OwnerReferences).To(HaveLen(1))
		Expect(strings.HasPrefix(token, "scimop_")).To(BeTrue())
		Expect(get[v1alpha1.ScimDirectory](w, "okta").Status.Tokens[0].LastFour).To(Equal(token[len(token)-4:]))
		change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Suspended = true })
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionReady, v1alpha1.ReasonSuspended)
		Expect(get[corev1.Secret](w, "made").ResourceVersion).To(Equal(s.ResourceVersion))
	})

	It("notices when a token expires", func() {
		w.directory("okta", func(d *v1alpha1.ScimDirectory) {
			d.Spec.Tokens[0].ExpirationTime = new(metav1.NewTime(time.Now().Add(3 * time.Second)))
		})
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionReady, v1alpha1.ReasonTokenExpired)
		Expect(get[v1alpha1.ScimDirectory](w, "okta").Status.Tokens[0].State).To(Equal(v1alpha1.TokenExpired))
	})

	It("counts what the identity provider pushed", func() {
		w.directory("okta")
		Eventually(func() string {
			out, err := w.kubectl("get", "scimdirectory", "okta", "-o", "jsonpath={.status.users}{.status.activeUsers}{.status.groups}{.status.members}")
			Expect(err).NotTo(HaveOccurred(), out)
			return out
		}).Should(Equal("0000"))
		ada := w.user("okta", "ada@example.com")
		bob := w.user("okta", "bob@example.com")
		w.setActive(bob, false)
		w.group("okta", "Staff", ada, bob)
		w.group("okta", "Admins", ada)
		Eventually(func() []int32 {
			s := get[v1alpha1.ScimDirectory](w, "okta").Status
			return []int32{s.Users, s.ActiveUsers, s.Groups, s.Members}
		}).Should(Equal([]int32{2, 1, 2, 3}))
		Expect(get[v1alpha1.ScimDirectory](w, "okta").Status.BaseURL).NotTo(BeEmpty())
	})

	It("that also asks to be primary is told who is, and others hear of it", func() {
		w.directory("okta", primary)
		w.directory("entra", primary)
		w.eventuallyReason(w.directoryConditions("entra"), v1alpha1.ConditionPrimary, v1alpha1.ReasonPrimaryConflict)
		c := meta.FindStatusCondition(w.directoryConditions("entra")(), v1alpha1.ConditionPrimary)
		Expect(c.Message).To(ContainSubstring("ScimDirectory okta "))
		Expect(get[v1alpha1.ScimDirectory](w, "okta").Status.Primary).To(BeTrue())
		Expect(get[v1alpha1.ScimDirectory](w, "entra").Status.Primary).To(BeFalse())
		Eventually(func() []string {
			var list eventsv1.EventList
			Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns))).To(Succeed())
			var told []string
			for _, e := range list.Items {
				told = append(told, e.Regarding.Name+" "+e.Reason)
			}
			return told
		}).Should(ConsistOf("okta PrimaryElected", "entra PrimaryConflict"))
	})

	Context("when it is deleted", func() {
		var ada, bob string
		prepare := func(edit ...func(*v1alpha1.ScimDirectory)) {
			w.directory("okta", append(edit, primary)...)
			w.role("admin", "Admins")
			ada, bob = w.user("okta", "ada@example.com"), w.user("okta", "bob@example.com")
			w.group("okta", "Admins", ada, bob)
			w.eventuallyAccess("ada@example.com active [admin]", "bob@example.com active [admin]")
			w.grantByHand(bob, "owner")
			w.eventuallyAccess("ada@example.com active [admin]", "bob@example.com active [admin owner]")
		}
		remove := func() {
			GinkgoHelper()
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimDirectory](w, "okta"))).To(Succeed())
			Eventually(func() any { return get[v1alpha1.ScimDirectory](w, "okta") }).Should(BeNil())
		}
		expectNothingLeft := func() {
			GinkgoHelper()
			for _, list := range []client.ObjectList{
				&v1alpha1.ScimUserList{}, &v1alpha1.ScimGroupList{}, &v1alpha1.ScimMemberSliceList{},
			} {
				Expect(k8s.List(w.ctx, list, client.InNamespace(w.ns))).To(Succeed())
				Expect(meta.LenList(list)).To(BeZero())
			}
		}

		It("leaves its people as local members with the roles they have", func() {
			prepare()
			seen := watchMember(w, ada)
			remove()
			expectNothingLeft()
			Consistently(w.access).Should(Equal([]string{
				"ada@example.com active [admin]", "bob@example.com active [admin owner]",
			}))
			Expect(get[v1alpha1.AppMembership](w, ada).Spec.UserRef).To(BeNil())
			w.eventuallyReason(func() []metav1.Condition { return get[v1alpha1.AppMembership](w, ada).Status.Conditions },
				v1alpha1.ConditionReady, v1alpha1.ReasonLocal)
			Expect(get[v1alpha1.AppMembership](w, ada).Status.ManagedBy).To(BeEmpty())
			for _, m := range seen() {
				Expect(inWords(&m)).To(Equal("ada@example.com active [admin]"))
			}
		})

		It("takes back what it granted, and only that, when it is to revoke", func() {
			prepare(revoke)
			remove()
			expectNothingLeft()
			w.eventuallyAccess("bob@example.com active [owner]")
			Expect(get[v1alpha1.AppMembership](w, bob).Spec.UserRef).To(BeNil())
		})

		It("hands over first to a directory that asks, so that people in both keep their access", func() {
			prepare(revoke)
			w.directory("entra", primary)
			also := w.user("entra", "ada@example.com")
			entras := w.group("entra", "Admins", also)
			w.eventuallyReason(w.groupConditions(entras), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
			w.eventuallyReason(w.userConditions(also), v1alpha1.ConditionReady, v1alpha1.ReasonNotPrimary)
			seen := watchMember(w, ada)
			remove()
			w.eventuallyAccess("ada@example.com active [admin]", "bob@example.com active [owner]")
			Expect(get[v1alpha1.AppMembership](w, ada).Spec.UserRef.Name).To(Equal(also))
			for _, m := range seen() {
				Expect(inWords(&m)).To(Equal("ada@example.com active [admin]"))
			}
		})
	})
})
