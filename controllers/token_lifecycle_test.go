package controllers

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("A token", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	erase := func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens[0].Plaintext = v1alpha1.PlaintextEraseAfterFirstUse }
	secret := func() *corev1.Secret { return get[corev1.Secret](w, "okta-token") }
	status := func() v1alpha1.DirectoryTokenStatus {
		GinkgoHelper()
		all := get[v1alpha1.ScimDirectory](w, "okta").Status.Tokens
		Expect(all).To(HaveLen(1))
		return all[0]
	}
	// used does what the SCIM server does when it has answered a call with the token of that version of the Secret.
	used := func(version string) {
		GinkgoHelper()
		now := metav1.Now()
		Expect(k8s.Status().Apply(w.ctx, ac.ScimDirectory("okta", w.ns).WithStatus(ac.ScimDirectoryStatus().
			WithLastRequestTime(now).
			WithTokens(ac.DirectoryTokenStatus().WithName("idp").WithLastUsedTime(now).WithUsedSecretVersion(version))),
			client.FieldOwner("scim-operator-server"))).To(Succeed())
	}

	It("is replaced by its hash once it is in use", func() {
		w.directory("okta", erase)
		Consistently(func() map[string][]byte { return secret().Data }).Should(HaveKey("token"))
		used(secret().ResourceVersion)
		Eventually(func() map[string][]byte { return secret().Data }).ShouldNot(HaveKey("token"))
		sum := sha256.Sum256([]byte(validToken))
		Expect(secret().Data).To(And(HaveLen(2),
			HaveKeyWithValue("tokenSHA256", []byte(hex.EncodeToString(sum[:]))),
			HaveKeyWithValue("lastFour", []byte(validToken[len(validToken)-4:]))))
		Eventually(func() int { return len(w.toldOf("okta", v1alpha1.EventTokenErased)) }).Should(Equal(1))
		Expect(status()).To(And(HaveField("State", v1alpha1.TokenValid), HaveField("LastFour", validToken[len(validToken)-4:])))
	})

	It("stays when the Secret was rotated after the use, until the new one is used", func() {
		w.directory("okta", erase)
		before := secret().ResourceVersion
		change(w, "okta-token", func(s *corev1.Secret) { s.Data["token"] = []byte(strings.Repeat("n", 40)) })
		used(before)
		Consistently(func() map[string][]byte { return secret().Data }).Should(HaveKey("token"))
		used(secret().ResourceVersion)
		Eventually(func() map[string][]byte { return secret().Data }).ShouldNot(HaveKey("token"))
		Expect(status().LastFour).To(Equal("nnnn"))
	})

	It("stays in an immutable Secret, and the directory says so", func() {
		w.directory("okta", erase)
		change(w, "okta-token", func(s *corev1.Secret) { s.Immutable = new(true) })
		used(secret().ResourceVersion)
		Eventually(func() string {
			return meta.FindStatusCondition(w.directoryConditions("okta")(), v1alpha1.ConditionTokensValid).Message
		}).Should(ContainSubstring(`token "idp" stays in Secret "okta-token", which is immutable`))
		Expect(meta.IsStatusConditionTrue(w.directoryConditions("okta")(), v1alpha1.ConditionReady)).To(BeTrue())
	})

	It("keeps what the SCIM server reports of it, whatever the controllers report", func() {
		w.directory("okta")
		used("7")
		change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Suspended = true })
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionReady, v1alpha1.ReasonSuspended)
		Expect(status()).To(And(HaveField("UsedSecretVersion", "7"), HaveField("LastUsedTime", Not(BeNil())),
			HaveField("State", v1alpha1.TokenValid)))
		d := get[v1alpha1.ScimDirectory](w, "okta")
		Expect(d.Status.LastRequestTime).NotTo(BeNil())
		for _, e := range d.ManagedFields {
			if e.Manager == v1alpha1.FieldManager {
				Expect(string(e.FieldsV1.GetRawBytes())).NotTo(Or(ContainSubstring("Used"), ContainSubstring("lastRequest"), ContainSubstring("lastFailure")))
			}
		}

		By("deleting a directory of which only the server still knows a token")
		change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens = nil })
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionTokensValid, v1alpha1.ReasonNoToken)
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimDirectory](w, "okta"))).To(Succeed())
		Eventually(func() any { return get[v1alpha1.ScimDirectory](w, "okta") }).Should(BeNil())
	})

	It("shows its last four characters when its Secret, which holds a hash, names them", func() {
		w.directory("okta")
		sum := sha256.Sum256([]byte(validToken))
		change(w, "okta-token", func(s *corev1.Secret) {
			s.Data = map[string][]byte{"tokenSHA256": []byte(hex.EncodeToString(sum[:])), "lastFour": []byte("e-1!\n")}
		})
		Eventually(func() string { return status().LastFour }).Should(Equal("e-1!"))
	})

	It("is generated anew when its Secret is deleted", func() {
		w.directory("okta", func(d *v1alpha1.ScimDirectory) {
			d.Spec.Tokens[0].SecretRef.Name, d.Spec.Tokens[0].Generate = "made", true
		})
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		old := get[corev1.Secret](w, "made")
		Expect(k8s.Delete(w.ctx, old)).To(Succeed())
		Eventually(func() *corev1.Secret { return get[corev1.Secret](w, "made") }).ShouldNot(BeNil())
		fresh := get[corev1.Secret](w, "made")
		Expect(fresh.UID).NotTo(Equal(old.UID))
		token := string(fresh.Data["token"])
		Expect(token).To(And(HavePrefix("scimop_"), Not(Equal(string(old.Data["token"])))))
		Eventually(func() string { return status().LastFour }).Should(Equal(token[len(token)-4:]))
	})

	It("is warned of before it expires, once at each threshold", func() {
		ends := time.Now().Add(7*day + 4*time.Second)
		w.directory("okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens[0].ExpirationTime = new(metav1.NewTime(ends)) })
		warning := func() string {
			c := meta.FindStatusCondition(w.directoryConditions("okta")(), v1alpha1.ConditionTokensValid)
			Expect(c).To(And(HaveField("Status", metav1.ConditionTrue), HaveField("Reason", v1alpha1.ReasonTokenExpiringSoon)))
			return c.Message
		}
		warnings := func() int { return len(w.toldOf("okta", v1alpha1.ReasonTokenExpiringSoon)) }
		on := ends.UTC().Truncate(time.Second).Format(time.RFC3339)
		Expect(warning()).To(And(ContainSubstring(`token "idp" expires in less than 30 days`), ContainSubstring(on)))
		Expect(warnings()).To(Equal(1))
		Eventually(warning).Should(ContainSubstring(`token "idp" expires in less than 7 days`))
		Expect(warnings()).To(Equal(2))
		Expect(meta.IsStatusConditionTrue(w.directoryConditions("okta")(), v1alpha1.ConditionReady)).To(BeTrue())

		By("looking again long after, when Kubernetes has forgotten the Events")
		w.forgetEvents()
		change(w, "okta", func(d *v1alpha1.ScimDirectory) { d.Spec.Suspended = true })
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionReady, v1alpha1.ReasonSuspended)
		Consistently(warnings).Should(BeZero())

		By("giving the token more time")
		change(w, "okta", func(d *v1alpha1.ScimDirectory) {
			d.Spec.Tokens[0].ExpirationTime = new(metav1.NewTime(ends.Add(365 * day)))
		})
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionTokensValid, v1alpha1.ReasonTokensValid)
	})
})
