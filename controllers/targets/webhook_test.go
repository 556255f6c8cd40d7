package targets_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"golang.org/x/sync/errgroup"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// tellsReceiver is a target that tells a receiver, with the Secret that it needs.
func tellsReceiver(w *world, r *receiver, secrets string) v1alpha1.AppTargetSpec {
	GinkgoHelper()
	w.secret("hook", map[string]string{
		v1alpha1.TargetSecretSigningKey: secrets, v1alpha1.TargetSecretCAKey: r.certificate(),
	})
	DeferCleanup(func() { Expect(r.complaints()).To(BeEmpty()) })
	return v1alpha1.AppTargetSpec{Webhook: &v1alpha1.WebhookTarget{
		URL: r.server.URL + "/scim", Credentials: v1alpha1.TargetSecretReference{Name: "hook"},
	}}
}

func webhooks(w *world) *fixture {
	GinkgoHelper()
	r := newReceiver(firstSecret)
	return &fixture{
		spec: tellsReceiver(w, r, firstSecret),
		held: r.held, log: r.log, writes: r.writes,
		fail:    func() { r.answers(func(received) int { return http.StatusServiceUnavailable }) },
		mend:    func() { r.answers(nil) },
		failure: v1alpha1.ReasonTargetUnreachable,
	}
}

var _ = Describe("A webhook target", func() {
	var w *world
	BeforeEach(func() {
		w = newWorld()
		w.roles("admin", "viewer")
	})
	// refuses answers 422 to some events.
	refuses := func(words ...string) func(received) int {
		return func(e received) int {
			if slices.Contains(words, e.String()) {
				return http.StatusUnprocessableEntity
			}
			return http.StatusNoContent
		}
	}
	askForSnapshot := func(value string) {
		GinkgoHelper()
		change(w, "target", func(t *v1alpha1.AppTarget) { t.Annotations = map[string]string{v1alpha1.SnapshotAnnotation: value} })
	}

	// onRecord is what the operator keeps of the last snapshot.
	onRecord := func() []string {
		GinkgoHelper()
		var pages v1alpha1.AppTargetLedgerList
		Expect(k8s.List(w.ctx, &pages, client.InNamespace(w.ns))).To(Succeed())
		for _, p := range pages.Items {
			for _, e := range p.Spec.Entries {
				if e.Subject == "snapshot/last" {
					return e.Grants
				}
			}
		}
		return nil
	}

	It("tells each change once, in order, with who the person is", func() {
		r := newReceiver(firstSecret)
		w.target(tellsReceiver(w, r, firstSecret))
		w.member("ada", "viewer", "admin")
		Eventually(r.held).Should(Equal(grants("ada admin", "ada viewer")))
		change(w, "ada", func(m *v1alpha1.AppMembership) { m.Spec.User.UserName = "lovelace@example.com" })
		Eventually(func() []received { return r.of("user.updated") }).Should(HaveLen(1))
		w.setActive("ada", false)
		Eventually(r.held).Should(BeEmpty())
		w.setActive("ada", true)
		Eventually(r.held).Should(HaveLen(2))
		w.setRoles("ada", "viewer")
		Eventually(r.held).Should(HaveLen(1))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppMembership](w, "ada"))).To(Succeed())
		Eventually(func() []received { return r.of("user.removed") }).Should(HaveLen(1))
		Expect(r.about("ada")).To(Equal([]string{
			"user.provisioned ada", "role.granted ada admin", "role.granted ada viewer",
			"user.updated ada",
			"role.revoked ada admin", "role.revoked ada viewer", "user.deactivated ada",
			"user.reactivated ada", "role.granted ada admin", "role.granted ada viewer",
			"role.revoked ada admin",
			"role.revoked ada viewer", "user.deactivated ada", "user.removed ada",
		}))
		Expect(r.of("role.granted")[0].Data).To(And(
			HaveField("Namespace", w.ns), HaveField("Target", "target"), HaveField("Directory", ""),
			HaveField("Role", &receivedRole{Name: "admin", DisplayName: "admin"}),
			HaveField("Person", &receivedPerson{
				ID: "ada", UserName: "ada@example.com", Email: "ada@example.com", DisplayName: "ada", ExternalID: "x-ada",
				Active: true, Roles: []string{"admin"},
			}),
		))
		Expect(r.of("user.updated")[0].Data.Person.UserName).To(Equal("lovelace@example.com"))
		Expect(r.of("user.removed")[0].Data.Person).To(Equal(&receivedPerson{ID: "ada", Roles: []string{}}))
	})

	It("tells what roles are called before anybody has them, and when they are called otherwise, and when they are gone", func() {
		r := newReceiver(firstSecret)
		w.member("ada", "admin")
		w.target(tellsReceiver(w, r, firstSecret))
		Eventually(r.held).Should(HaveLen(1))
		change(w, "admin", func(role *v1alpha1.AppRole) { role.Spec.DisplayName = "Administrators, \"all\"\n" })
		Eventually(func() []received { return r.of("role.renamed") }).Should(HaveLen(1))
		Expect(r.of("role.renamed")[0].Data.Role).To(Equal(&receivedRole{"admin", "Administrators, \"all\"\n"}))
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppRole](w, "admin"))).To(Succeed())
		Eventually(func() []received { return r.of("role.removed") }).Should(HaveLen(1))
		var words []string
		for _, e := range r.received() {
			if strings.HasSuffix(e.String(), "admin") {
				words = append(words, e.String())
			}
		}
		Expect(words).To(Equal([]string{
			"role.added admin", "role.granted ada admin", "role.renamed admin", "role.revoked ada admin", "role.removed admin",
		}))
	})

	It("signs with each of several secrets, and with new ones once they are there", func() {
		r := newReceiver(firstSecret, secondSecret)
		w.member("ada", "admin")
		w.target(tellsReceiver(w, r, firstSecret+" "+secondSecret))
		Eventually(r.held).Should(HaveLen(1))
		Expect(r.complaints()).To(BeEmpty())

		third := "whsec_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
		other := newReceiver(third)
		change(w, "hook", func(s *corev1.Secret) {
			s.Data[v1alpha1.TargetSecretSigningKey] = []byte(third)
			s.Data[v1alpha1.TargetSecretCAKey] = []byte(other.certificate())
		})
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Webhook.URL = other.server.URL })
		Eventually(func() []received { return other.of("snapshot") }).Should(HaveLen(1)) // a new receiver knows nothing yet
		Expect(other.complaints()).To(BeEmpty())
	})

	It("keeps the order of each person's events under many quick changes", func() {
		r := newReceiver(firstSecret)
		r.takes(5 * time.Millisecond)
		w.target(tellsReceiver(w, r, firstSecret))
		var g errgroup.Group
		for i := range 4 {
			name := fmt.Sprintf("p%d", i)
			w.member(name)
			g.Go(func() error {
				defer GinkgoRecover()
				for n := range 20 {
					switch n % 4 {
					case 0:
						w.setRoles(name, "admin")
					case 1:
						w.setActive(name, false)
					case 2:
						w.setRoles(name, "viewer", "admin")
					default:
						w.setActive(name, true)
					}
				}
				return nil
			})
		}
		Expect(g.Wait()).To(Succeed())
		Eventually(r.held).Should(HaveLen(8))
		w.eventuallyReady("True InSync")
		Expect(r.complaints()).To(BeEmpty())
	})

	It("loses nothing and tells nothing wrong however often the operator is killed", func() {
		r := newReceiver(firstSecret)
		r.takes(25 * time.Millisecond)
		const people = 60
		for i := range people {
			w.member(fmt.Sprintf("p%02d", i), "viewer")
		}
		w.target(tellsReceiver(w, r, firstSecret))
		heard := 0
		for round := range 5 {
			Eventually(func() int { return len(r.received()) }).Should(BeNumerically(">", heard+5+7*round))
			running.Kill()
			for i := range people { // what was under way is outdated, and who the people are, too
				change(w, fmt.Sprintf("p%02d", i), func(m *v1alpha1.AppMembership) {
					m.Spec.User.DisplayName = fmt.Sprintf("%d-%d", i, round)
					m.Spec.Active = (i+round)%3 > 0
					m.Spec.Roles = [][]string{{"admin"}, {"viewer"}, {"admin", "viewer"}}[(i+round)%3]
				})
			}
			heard = len(r.received())
			running.Start()
		}
		var want []string
		for i := range people {
			m := get[v1alpha1.AppMembership](w, fmt.Sprintf("p%02d", i))
			for _, role := range m.Spec.Roles {
				if m.Spec.Active {
					want = append(want, m.Name+" "+role)
				}
			}
		}
		Eventually(r.held, "60s").Should(Equal(grants(want...)))
		w.eventuallyReady("True InSync")
		Expect(r.complaints()).To(BeEmpty())
		Expect(r.repeated).To(BeNumerically(">", 0), "nothing was under way when the operator was killed")
		AddReportEntry("events", fmt.Sprintf("%d, of which %d were sent more than once", len(r.received()), r.repeated))
	})

	It("lets one person's events wait that the receiver refuses, and no others", func() {
		r := newReceiver(firstSecret)
		r.answers(refuses("role.granted ada admin"))
		w.member("ada", "admin", "viewer")
		w.member("bob", "admin")
		w.target(tellsReceiver(w, r, firstSecret))
		w.eventuallyReady("False TargetRefused")
		Expect(w.ready()).To(And(ContainSubstring("422 Unprocessable Entity to an event of type role.granted"), Not(ContainSubstring("ada"))))
		w.member("eve", "viewer")
		Eventually(r.held).Should(Equal(grants("bob admin", "eve viewer")))
		Expect(r.about("ada")).To(Equal([]string{"user.provisioned ada"}))
		Expect(r.tries("user.provisioned ada")).To(Equal(1)) // what it took is not sent again
		r.answers(nil)
		Eventually(r.held).Should(Equal(grants("ada admin", "ada viewer", "bob admin", "eve viewer")))
		w.eventuallyReady("True InSync")
	})

	It("tells that somebody leaves, although the receiver refuses what came before", func() {
		r := newReceiver(firstSecret)
		r.answers(refuses("role.granted ada viewer"))
		w.member("ada", "admin", "viewer")
		w.target(tellsReceiver(w, r, firstSecret))
		w.eventuallyReady("False TargetRefused")
		Eventually(r.held).Should(Equal(grants("ada admin")))
		w.setActive("ada", false)
		Eventually(r.held).Should(BeEmpty())
		w.eventuallyReady("True InSync")
		Expect(r.about("ada")).To(HaveExactElements(
			"user.provisioned ada", "role.granted ada admin", "role.revoked ada admin", "user.deactivated ada"))
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies = nil
		r.events = nil // the number that it refused is missing, by its own word
	})

	It("counts an answer other than success as none, and says what it was", func() {
		r := newReceiver(firstSecret)
		w.member("ada", "admin")
		elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			defer GinkgoRecover()
			Fail("a redirect was followed")
		}))
		DeferCleanup(elsewhere.Close)
		var status int
		redirecting := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(status)
		}))
		redirecting.StartTLS()
		DeferCleanup(redirecting.Close)
		spec := tellsReceiver(w, r, firstSecret)
		good := spec.Webhook.URL
		spec.Webhook.URL = redirecting.URL
		status = http.StatusTemporaryRedirect
		w.target(spec)
		w.eventuallyReady("False InvalidSpec: " + redirecting.URL + " answered 307 Temporary Redirect: redirects are not followed")
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Webhook.URL = good })
		r.answers(func(received) int { return http.StatusGone })
		w.eventuallyReady("False InvalidSpec: " + r.server.URL + " answers 410 Gone: the receiver wants no more events")
		r.answers(func(received) int { return http.StatusTooManyRequests })
		w.eventuallyReady("False TargetUnreachable: " + r.server.URL + " answered 429 Too Many Requests")
		r.answers(nil)
		Eventually(r.held).Should(HaveLen(1))
	})

	DescribeTable("reaches no address that the operator's administrator did not permit",
		func(url string) {
			r := newReceiver(firstSecret)
			w.member("ada", "admin")
			w.target(tellsReceiver(w, r, firstSecret), func(s *v1alpha1.AppTargetSpec) { s.Webhook.URL = url })
			w.eventuallyReady("False InvalidSpec: " + strings.TrimSuffix(url, "/") + " is not in a network that targets may reach")
			Expect(w.ready()).To(ContainSubstring("--target-networks"))
		},
		Entry("a private one", "https://10.255.255.1/"),
		Entry("cloud metadata", "https://169.254.169.254/"),
		Entry("the machine itself, by IPv6", "https://[::1]:6443/"),
		Entry("the same, as IPv4 in IPv6", "https://[::ffff:10.0.0.1]/"),
	)

	It("says what is wrong with a secret", func() {
		r := newReceiver(firstSecret)
		w.target(tellsReceiver(w, r, "whsec_c2hvcnQ="))
		w.eventuallyReady("False InvalidSpec: the key signingSecret of Secret \"hook\" is not whsec_ and 24 to 64 bytes in base64")
		Expect(w.ready()).NotTo(ContainSubstring("c2hvcnQ"))
		change(w, "hook", func(s *corev1.Secret) { s.Data[v1alpha1.TargetSecretSigningKey] = []byte(firstSecret) })
		w.eventuallyReady("True InSync")
	})

	It("sends a snapshot at first, and when one is asked for, with everybody in pages", func() {
		const people = 1234
		r := newReceiver(firstSecret)
		var g errgroup.Group
		g.SetLimit(16)
		for i := range people {
			g.Go(func() error {
				m := &v1alpha1.AppMembership{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: fmt.Sprintf("p%04d", i)}}
				m.Spec.User = v1alpha1.MemberIdentity{UserName: mail(m.Name)}
				m.Spec.Active, m.Spec.Roles = i%2 == 0, []string{"viewer"}
				return k8s.Create(w.ctx, m)
			})
		}
		Expect(g.Wait()).To(Succeed())
		w.target(tellsReceiver(w, r, firstSecret))
		Eventually(func() []received { return r.of("snapshot") }, "60s").Should(HaveLen(3))
		pages := r.of("snapshot")
		all := map[string]receivedPerson{}
		for i, p := range pages {
			Expect(p.Data.Snapshot).To(And(HaveField("Page", i+1), HaveField("Pages", 3), HaveField("ID", pages[0].Data.Snapshot.ID)))
			Expect(len(p.Data.People)).To(BeNumerically("<=", 500))
			Expect(p.Data.Sequences).To(HaveLen(1))
			Expect(p.Data.Sequences[0].Last).To(BeEquivalentTo(2 + people + people/2)) // roles, people, and their roles
			for _, person := range p.Data.People {
				all[person.ID] = person
			}
		}
		Expect(all).To(HaveLen(people))
		Expect(all["p0002"]).To(Equal(receivedPerson{ID: "p0002", UserName: mail("p0002"), Active: true, Roles: []string{"viewer"}}))
		Expect(all["p0003"]).To(Equal(receivedPerson{ID: "p0003", UserName: mail("p0003"), Roles: []string{}}))
		Expect(pages[0].Data.Roles).To(Equal([]receivedRole{{"admin", "admin"}, {"viewer", "viewer"}}))
		Expect(pages[1].Data.Roles).To(BeEmpty())

		By("asking for another one")
		w.eventuallyReady("True InSync")
		first := onRecord()
		Expect(first).NotTo(BeEmpty())
		askForSnapshot("please")
		Eventually(func() []received { return r.of("snapshot") }).Should(HaveLen(6))
		Eventually(onRecord).ShouldNot(Equal(first))
		Expect(r.of("snapshot")[3].Data.Snapshot.ID).NotTo(Equal(pages[0].Data.Snapshot.ID))
		running.Kill()
		running.Start()
		w.setActive("p0002", false)
		Eventually(r.held).ShouldNot(ContainElement("p0002 viewer"))
		Consistently(func() []received { return r.of("snapshot") }, 2*interval).Should(HaveLen(6))

		By("not waiting for the end of a snapshot to tell of a leaver")
		r.takes(time.Second)
		askForSnapshot("again")
		Eventually(func() []received { return r.of("snapshot") }).Should(HaveLen(7))
		w.setActive("p0004", false)
		Eventually(func() []received { return r.of("snapshot") }).Should(HaveLen(9))
		r.takes(0)
		log := r.received()
		left := slices.IndexFunc(log, func(e received) bool { return e.String() == "user.deactivated p0004" })
		last := len(log) - 1
		Expect(log[last].Type).To(Equal("snapshot"))
		Expect(left).To(And(BeNumerically(">", 0), BeNumerically("<", last)))
		Expect(log[left].Data.Sequence).To(BeNumerically(">", log[last].Data.Sequences[0].Last))
	})

	It("sends no snapshot where the interval is 0s, but the one that is asked for", func() {
		r := newReceiver(firstSecret)
		w.member("ada", "admin")
		w.target(tellsReceiver(w, r, firstSecret), func(s *v1alpha1.AppTargetSpec) { s.Webhook.SnapshotInterval = "0s" })
		Eventually(r.held).Should(HaveLen(1))
		w.eventuallyReady("True InSync")
		Consistently(func() []received { return r.of("snapshot") }).Should(BeEmpty())
		askForSnapshot("please")
		Eventually(func() []received { return r.of("snapshot") }).Should(HaveLen(1))
		Consistently(func() []received { return r.of("snapshot") }, 2*interval).Should(HaveLen(1))
	})

	It("tells everybody's end when it is deleted, and nothing more", func() {
		r := newReceiver(firstSecret)
		w.member("ada", "admin")
		w.member("bob")
		w.setActive("bob", false)
		w.target(tellsReceiver(w, r, firstSecret))
		w.eventuallyReady("True InSync")
		Expect(k8s.Delete(context.Background(), get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
		Eventually(w.ready).Should(Equal("gone"))
		Expect(r.about("ada")[2:]).To(Equal([]string{"role.revoked ada admin", "user.deactivated ada", "user.removed ada"}))
		Expect(r.about("bob")).To(Equal([]string{"user.provisioned bob", "user.removed bob"}))
		Expect(r.of("role.removed")).To(HaveLen(2))
		Expect(r.of("snapshot")).To(HaveLen(1))
	})
})
