package targets_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

var _ = Describe("A ledger", func() {
	var w *world
	var target *v1alpha1.AppTarget
	BeforeEach(func() {
		w = newWorld()
		target = &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "books"}}
	})
	open := func() *targets.Ledger {
		GinkgoHelper()
		l, err := targets.OpenLedger(w.ctx, k8s, k8s, target)
		Expect(err).NotTo(HaveOccurred())
		return l
	}
	pages := func() []v1alpha1.AppTargetLedger {
		GinkgoHelper()
		var list v1alpha1.AppTargetLedgerList
		Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns))).To(Succeed())
		return list.Items
	}
	grant := func(i int) targets.Grant {
		return targets.Grant{Subject: fmt.Sprintf("p%04d", i), Entitlement: "member"}
	}

	It("remembers what was claimed, on as many pages as it takes", func() {
		const people = 1200
		var all []targets.Grant
		for i := range people {
			all = append(all, grant(i))
		}
		l := open()
		Expect(l.Claim(w.ctx, all)).To(Succeed())
		Expect(len(pages())).To(BeNumerically(">", 2))
		l = open()
		n := 0
		for range l.Entries() {
			n++
		}
		Expect(n).To(Equal(people))
		Expect(l.Has(grant(7))).To(BeTrue())
		Expect(l.Has(targets.Grant{Subject: "p0007", Entitlement: "owner"})).To(BeFalse())

		Expect(l.Claim(w.ctx, []targets.Grant{{Subject: "p0007", Entitlement: "owner"}})).To(Succeed())
		Expect(l.Release(w.ctx, all[:people-1])).To(Succeed())
		l = open()
		Expect(l.Entry("p0007").Grants).To(Equal([]string{"owner"}))
		Expect(l.Has(grant(8))).To(BeFalse())
		Expect(l.Has(grant(people - 1))).To(BeTrue())
	})

	It("writes only the page that changes, and none when nothing does", func() {
		l := open()
		var all []targets.Grant
		for i := range 600 {
			all = append(all, grant(i))
		}
		Expect(l.Claim(w.ctx, all)).To(Succeed())
		versions := func() map[string]string {
			is := map[string]string{}
			for _, p := range pages() {
				is[p.Name] = p.ResourceVersion
			}
			return is
		}
		before := versions()
		Expect(l.Claim(w.ctx, all)).To(Succeed())
		Expect(versions()).To(Equal(before))
		Expect(l.Release(w.ctx, all[:1])).To(Succeed())
		changed := 0
		for name, version := range versions() {
			if before[name] != version {
				changed++
			}
		}
		Expect(changed).To(Equal(1))
	})

	It("holds names and grants as long as they may be", func() {
		l := open()
		var grants []targets.Grant
		for i := range 40 {
			grants = append(grants, targets.Grant{Subject: strings.Repeat("é", 4000) + fmt.Sprint(i), Entitlement: strings.Repeat("x", 1024)})
		}
		Expect(l.Claim(w.ctx, grants)).To(Succeed())
		Expect(open().Has(grants[39])).To(BeTrue())
		for _, p := range pages() {
			Expect(len(fmt.Sprint(p.Spec.Entries))).To(BeNumerically("<", 1<<20))
		}
	})

	It("moves an entry that outgrows its page, and has it once after a crash in between", func() {
		l := open()
		many := func(person, n int) (grants []targets.Grant) {
			for i := range n {
				grants = append(grants, targets.Grant{Subject: grant(person).Subject, Entitlement: fmt.Sprintf("%s-%d", strings.Repeat("r", 1000), i)})
			}
			return grants
		}
		for person := range 3 {
			Expect(l.Claim(w.ctx, many(person, 80))).To(Succeed())
		}
		Expect(pages()).To(HaveLen(1))
		old := pages()[0]
		for person := range 3 {
			Expect(l.Claim(w.ctx, many(person, 500))).To(Succeed())
		}
		Expect(len(pages())).To(BeNumerically(">", 1))
		for person := range 3 {
			Expect(open().Entry(grant(person).Subject).Grants).To(HaveLen(500))
		}

		By("a crash after the entry is on its new page, and before it is off the old one")
		stale := pages()[0]
		stale.Spec.Entries = old.Spec.Entries
		Expect(k8s.Update(w.ctx, &stale)).To(Succeed())
		l = open()
		entries := 0
		for range l.Entries() {
			entries++
		}
		Expect(entries).To(Equal(3))
		moved := 0
		for person := range 3 {
			if len(l.Entry(grant(person).Subject).Grants) == 500 {
				moved++
			}
		}
		Expect(moved).To(BeNumerically(">", 0))
		for person := range 3 {
			Expect(l.Release(w.ctx, many(person, 500))).To(Succeed())
			Expect(open().Entry(grant(person).Subject).Grants).To(BeEmpty())
		}
	})

	It("is written by one at a time: who comes second learns it", func() {
		l := open()
		Expect(l.Claim(w.ctx, []targets.Grant{grant(1)})).To(Succeed())
		one, other := open(), open()
		Expect(one.Claim(w.ctx, []targets.Grant{grant(2)})).To(Succeed())
		err := other.Claim(w.ctx, []targets.Grant{grant(3)})
		Expect(apierrors.IsConflict(err)).To(BeTrue(), "%v", err)
		l = open()
		Expect([]bool{l.Has(grant(1)), l.Has(grant(2)), l.Has(grant(3))}).To(Equal([]bool{true, true, false}))
	})

	pending := func(subject string, events int64) v1alpha1.LedgerEntry {
		return v1alpha1.LedgerEntry{Subject: subject, Pending: &v1alpha1.LedgerPending{
			Grants: []string{"active"}, Directory: "okta", Events: events, Time: metav1.Now(),
		}}
	}

	It("counts sequences that never go back, also without the entries that they were for", func() {
		l := open()
		Expect(l.Put(w.ctx, pending("ada", 3), pending("bob", 1))).To(Succeed())
		l = open()
		Expect([]int64{l.Entry("ada").Pending.First, l.Entry("bob").Pending.First}).To(Equal([]int64{1, 4}))
		Expect(l.Put(w.ctx, v1alpha1.LedgerEntry{Subject: "ada"}, v1alpha1.LedgerEntry{Subject: "bob"})).To(Succeed())
		l = open()
		Expect(l.Sequences()).To(Equal(map[string]int64{"okta": 4}))
		Expect(l.Entry("ada").Pending).To(BeNil())
		Expect(l.Put(w.ctx, pending("eve", 1))).To(Succeed())
		Expect(open().Entry("eve").Pending.First).To(BeEquivalentTo(5))
	})

	It("leaves no hole in a sequence when one of two pages cannot be written", func() {
		l := open()
		var all []targets.Grant
		for i := range 400 {
			all = append(all, grant(i))
		}
		Expect(l.Claim(w.ctx, all)).To(Succeed())
		first, second := pages()[0], pages()[1]
		ada, bob := first.Spec.Entries[0].Subject, second.Spec.Entries[0].Subject
		change(w, first.Name, func(p *v1alpha1.AppTargetLedger) { p.Labels["other"] = "writer" }) // it is written after the second
		Expect(l.Put(w.ctx, pending(ada, 2), pending(bob, 2))).NotTo(Succeed())
		l = open()
		Expect(l.Entry(ada).Pending).To(BeNil())
		Expect(l.Entry(bob).Pending.First).To(BeEquivalentTo(1))
		Expect(l.Sequences()).To(Equal(map[string]int64{"okta": 2}))
	})

	It("keeps targets apart, and goes as a whole", func() {
		l := open()
		Expect(l.Claim(w.ctx, []targets.Grant{grant(1)})).To(Succeed())
		target = &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "books-2"}}
		Expect(open().Has(grant(1))).To(BeFalse())
		Expect(l.Destroy(w.ctx)).To(Succeed())
		Expect(pages()).To(BeEmpty())
		Expect(l.Has(grant(1))).To(BeFalse())
	})
})
