package targets_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"golang.org/x/sync/errgroup"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// fixture is one system as the common specs see it, prepared for one world. The roles admin and viewer mean one thing each
// there; the specs name people by the names of their AppMemberships.
type fixture struct {
	// spec is that of an AppTarget for the system.
	spec v1alpha1.AppTargetSpec
	// held are the grants that the system itself says are there, such as "ada admin", sorted.
	held func() []string
	// log are all changes that the system has seen, in order, such as "+ada admin".
	log func() []string
	// writes counts what was written to the system, also what changed nothing.
	writes func() int
	// grant and revoke do in the system, as somebody else would, what the target does; nil where the system is told.
	grant, revoke func(name, role string)
	// shared says that a grant which others made stands beside those of the target; otherwise it is drift as soon as it is in
	// the target's own place.
	shared bool
	// occupy makes, as somebody else would, what stands in the place of the role admin with ada in it; nil where shared is
	// set, or the system is told.
	occupy func()
	// fail lets the system fail, and mend lets it work again. While it fails, the condition's reason is failure.
	fail, mend func()
	failure    string
}

// kinds are all kinds of systems. What one of those that are told knows, nobody but the target changes.
var kinds = []struct {
	name    string
	prepare func(*world) *fixture
	told    bool
}{
	{"kubernetesRBAC", kubernetesRBAC, false},
	{"argoCD", argoCD, false},
	{"openShiftGroups", openShiftGroups, false},
	{"openFGA", openFGA, false},
	{"webhook", webhooks, true},
	{"grafana", grafanaTeams, false},
}

// holds waits until the grants are there, and no others.
func (f *fixture) holds(list ...string) {
	GinkgoHelper()
	Eventually(f.held).Should(Equal(grants(list...)))
}

// grants are in the order of held.
func grants(list ...string) []string {
	all := append([]string{}, list...)
	slices.Sort(all)
	return all
}

func count(log []string, line string) (n int) {
	for _, l := range log {
		if l == line {
			n++
		}
	}
	return n
}

// before says whether a comes before b in a log, both once.
func before(log []string, a, b string) bool {
	i, j := slices.Index(log, a), slices.Index(log, b)
	return i >= 0 && j >= 0 && i < j
}

var _ = Describe("A target", func() {
	for _, kind := range kinds {
		Context("of kind "+kind.name, func() {
			conforms(kind.prepare)
			if !kind.told {
				sharesWithOthers(kind.prepare)
			}
		})
	}
})

func conforms(prepare func(*world) *fixture) {
	var w *world
	var f *fixture
	BeforeEach(func() {
		w = newWorld()
		w.roles("admin", "viewer")
		f = prepare(w)
	})

	It("follows people's roles, and takes access back when it ends", func() {
		w.member("ada", "admin", "viewer")
		w.member("bob", "viewer", "unknown")
		w.target(f.spec)
		f.holds("ada admin", "ada viewer", "bob viewer")
		w.eventuallyReady("True InSync")
		w.member("eve", "admin")
		f.holds("ada admin", "ada viewer", "bob viewer", "eve admin")
		w.setRoles("ada", "viewer")
		f.holds("ada viewer", "bob viewer", "eve admin")
		w.setActive("bob", false)
		f.holds("ada viewer", "eve admin")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppMembership](w, "eve"))).To(Succeed())
		f.holds("ada viewer")
		w.setActive("bob", true)
		f.holds("ada viewer", "bob viewer")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppRole](w, "viewer"))).To(Succeed())
		Eventually(f.held).Should(BeEmpty())
		Eventually(func() any { return w.status().Plan }).Should(BeNil())
	})

	It("carries only the roles that it names", func() {
		w.member("ada", "admin", "viewer")
		w.target(f.spec, func(s *v1alpha1.AppTargetSpec) { s.Roles = []string{"viewer"} })
		f.holds("ada viewer")
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Roles = []string{"admin"} })
		f.holds("ada admin")
	})

	It("shows its plan and changes nothing while it observes", func() {
		w.member("ada", "admin")
		w.member("bob", "viewer")
		w.target(f.spec, func(s *v1alpha1.AppTargetSpec) { s.Mode = "" })
		w.eventuallyReady("True Observed")
		plan := w.status().Plan
		Expect(plan).NotTo(BeNil())
		Expect(plan.Removals).To(BeZero())
		Expect(plan.Changes).To(And(Equal(plan.Additions), BeNumerically(">=", 2)))
		Expect(plan.Hash).To(HaveLen(64))
		Expect(plan.Lines).To(HaveLen(int(plan.Changes)))
		Expect(plan.Lines).To(HaveEach(HavePrefix("+ ")))
		Consistently(f.held).Should(BeEmpty())
		Expect(f.writes()).To(BeZero())
		Expect(get[v1alpha1.AppTarget](w, "target").Finalizers).To(BeEmpty())

		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Mode = v1alpha1.TargetEnforce })
		f.holds("ada admin", "bob viewer")
		w.eventuallyReady("True InSync")
		Expect(w.status().Plan).To(BeNil())

		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Mode = v1alpha1.TargetObserve })
		w.eventuallyReady("True Observed")
		w.setActive("ada", false)
		Eventually(func() int32 {
			if p := w.status().Plan; p != nil {
				return p.Removals
			}
			return 0
		}).Should(BeNumerically(">", 0))
		Consistently(f.held).Should(Equal(grants("ada admin", "bob viewer")))
	})

	It("writes nothing when nothing is to be changed", func() {
		w.member("ada", "admin")
		w.target(f.spec)
		f.holds("ada admin")
		w.eventuallyReady("True InSync")
		version, writes := get[v1alpha1.AppTarget](w, "target").ResourceVersion, f.writes()
		Consistently(f.writes, 2*interval).Should(Equal(writes))
		Expect(get[v1alpha1.AppTarget](w, "target").ResourceVersion).To(Equal(version))
		change(w, "ada", func(m *v1alpha1.AppMembership) { m.Labels = map[string]string{"a": "b"} })
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Roles = []string{"admin", "viewer"} })
		w.eventuallyReady("True InSync")
		Consistently(f.writes).Should(Equal(writes))
	})

	It("revokes before it grants", func() {
		w.member("ada", "admin")
		w.target(f.spec)
		f.holds("ada admin")
		f.fail()
		w.member("bob", "admin")
		w.eventuallyReady("False " + f.failure)
		w.setActive("ada", false)
		f.mend()
		f.holds("bob admin")
		Expect(f.log()).To(Satisfy(func(log []string) bool { return before(log, "-ada admin", "+bob admin") }), "%v", f.log())
	})

	It("says why it fails, and loses nothing meanwhile", func() {
		w.member("ada", "admin")
		w.member("bob", "admin")
		w.target(f.spec)
		f.holds("ada admin", "bob admin")
		f.fail()
		w.setActive("ada", false)
		w.member("eve", "viewer")
		w.eventuallyReady("False " + f.failure)
		f.mend()
		f.holds("bob admin", "eve viewer")
		w.eventuallyReady("True InSync")
	})

	It("goes on where it was after the operator was killed", func() {
		w.member("ada", "admin")
		w.target(f.spec)
		f.holds("ada admin")
		running.Kill()
		w.setActive("ada", false)
		w.member("bob", "viewer")
		running.Start()
		f.holds("bob viewer")
		w.eventuallyReady("True InSync")
	})

	Describe("that is deleted", func() {
		BeforeEach(func() {
			w.member("ada", "admin")
			if f.shared {
				f.grant("mallory", "viewer")
			}
		})
		others := func() []string {
			if f.shared {
				return []string{"mallory viewer"}
			}
			return nil
		}
		remove := func() {
			GinkgoHelper()
			Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
			Eventually(w.ready).Should(Equal("gone"))
			var left v1alpha1.AppTargetLedgerList
			Expect(k8s.List(w.ctx, &left, client.InNamespace(w.ns))).To(Succeed())
			Expect(left.Items).To(BeEmpty())
		}

		It("takes back what it gave", func() {
			w.target(f.spec)
			f.holds(append(others(), "ada admin")...)
			remove()
			Expect(f.held()).To(Equal(grants(others()...)))
		})

		It("leaves what it gave if it is to orphan it", func() {
			w.target(f.spec, func(s *v1alpha1.AppTargetSpec) { s.DeletionPolicy = v1alpha1.TargetOrphan })
			f.holds(append(others(), "ada admin")...)
			remove()
			Consistently(f.held).Should(Equal(grants(append(others(), "ada admin")...)))
		})

		It("waits for a system that fails, and can be let go", func() {
			w.target(f.spec)
			f.holds(append(others(), "ada admin")...)
			f.fail()
			Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
			w.eventuallyReady("False " + f.failure)
			Expect(w.ready()).To(ContainSubstring("deletionPolicy: Orphan"))
			w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.DeletionPolicy = v1alpha1.TargetOrphan })
			Eventually(w.ready).Should(Equal("gone"))
			f.mend()
			Expect(f.held()).To(Equal(grants(append(others(), "ada admin")...)))
		})
	})
}

func sharesWithOthers(prepare func(*world) *fixture) {
	var w *world
	var f *fixture
	BeforeEach(func() {
		w = newWorld()
		w.roles("admin", "viewer")
		f = prepare(w)
	})

	It("puts right what others changed, and tells", func() {
		w.member("ada", "admin")
		w.target(f.spec)
		w.eventuallyReady("True InSync")
		f.revoke("ada", "admin")
		Eventually(func() int { return count(f.log(), "+ada admin") }).Should(Equal(2)) // it may have been put right already
		f.holds("ada admin")
		Eventually(w.told).Should(ContainElement(v1alpha1.EventDriftCorrected))
		if !f.shared {
			f.grant("mallory", "admin")
			f.holds("ada admin")
		}
	})

	It("leaves alone what others made, unless it is to adopt it", func() {
		if f.shared {
			f.grant("ada", "admin")
			f.grant("mallory", "admin")
			w.member("ada", "admin")
			w.member("bob", "admin")
			w.target(f.spec)
			f.holds("ada admin", "bob admin", "mallory admin")
			Eventually(func() int32 { return w.status().Foreign }).Should(BeEquivalentTo(1))
			w.setActive("ada", false)
			w.setActive("bob", false)
			f.holds("ada admin", "mallory admin")
			w.setActive("ada", true)
			w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Adopt = true })
			Eventually(func() int32 { return w.status().Grants }).Should(BeEquivalentTo(1))
			w.setActive("ada", false)
			f.holds("mallory admin")
			return
		}
		f.occupy()
		w.member("bob", "admin")
		w.member("eve", "viewer")
		w.target(f.spec)
		w.eventuallyReady("False NotOurs")
		Expect(w.ready()).To(ContainSubstring("adopt: true"))
		Expect(f.held()).To(ContainElement("ada admin"))
		Expect(f.held()).NotTo(ContainElement("bob admin"))
		w.changeTarget(func(s *v1alpha1.AppTargetSpec) { s.Adopt = true })
		f.holds("bob admin", "eve viewer")
		w.eventuallyReady("True InSync")
	})
}

var _ = Describe("Targets whose systems never answer", func() {
	It("delay no other", func() {
		listener, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections, and says nothing
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(listener.Close)
		w := newWorld()
		w.roles("admin", "viewer")
		for i := range 40 {
			w.targetNamed(fmt.Sprintf("silent-%d", i), v1alpha1.AppTargetSpec{OpenFGA: &v1alpha1.OpenFGATarget{
				URL: "http://" + listener.Addr().String(), StoreID: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
				Tuples: []v1alpha1.OpenFGATuple{{Role: "admin", Relation: "admin", Object: "organization:acme"}},
			}})
		}
		f := kubernetesRBAC(w)
		w.target(f.spec)
		w.member("ada", "admin")
		Eventually(f.held, "10s").Should(Equal(grants("ada admin"))) // less than one call takes until it is given up
		w.setActive("ada", false)
		Eventually(f.held, "10s").Should(BeEmpty())
		Eventually(func() string { return w.readyOf("silent-0") }).Should(HavePrefix("False TargetUnreachable"))
	})
})

// crowd is how many people are pushed at once.
const crowd = 5000

var _ = Describe("Targets of all kinds", func() {
	It("follow 5,000 people, and a leaver among them at once", func() {
		w := newWorld()
		w.roles("admin", "viewer")
		var people sync.Map
		var g errgroup.Group
		g.SetLimit(16)
		for i := range crowd {
			name := fmt.Sprintf("p%04d", i)
			people.Store(name, true)
			g.Go(func() error {
				m := &v1alpha1.AppMembership{}
				m.Name, m.Namespace = name, w.ns
				m.Spec.User = v1alpha1.MemberIdentity{UserName: mail(name), Email: mail(name)}
				m.Spec.Active, m.Spec.Roles = true, []string{"viewer"}
				return k8s.Create(w.ctx, m)
			})
		}
		Expect(g.Wait()).To(Succeed())
		fixtures := map[string]*fixture{}
		for _, kind := range kinds {
			f := kind.prepare(w)
			fixtures[kind.name] = f
			w.targetNamed(strings.ToLower(kind.name), f.spec)
		}
		for name, f := range fixtures {
			Eventually(func() int { return len(f.held()) }, "120s", "500ms").Should(Equal(crowd), name)
			Eventually(func() string { return w.readyOf(strings.ToLower(name)) }).Should(HavePrefix("True InSync"), name)
		}
		w.setActive("p2500", false)
		for name, f := range fixtures {
			Eventually(f.held).ShouldNot(ContainElement("p2500 viewer"), name)
			Expect(f.held()).To(HaveLen(crowd-1), name)
		}
	})
})
