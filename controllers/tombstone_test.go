package controllers

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestDecideTombstone(t *testing.T) {
	ago := func(d time.Duration) metav1.Time { return metav1.NewTime(noon.Add(-d)) }
	directory := func(marks string, ttl *metav1.Duration) *v1alpha1.ScimDirectory {
		d := aDirectory("okta", 1, marks)
		d.Spec.Users.TombstoneTTL = ttl
		return &d
	}
	user := func(age time.Duration) *v1alpha1.ScimUser {
		return &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: ago(age)}}
	}
	hour := &metav1.Duration{Duration: time.Hour}
	for _, c := range []struct {
		name      string
		age       time.Duration
		directory *v1alpha1.ScimDirectory
		user      *v1alpha1.ScimUser
		over      bool
		left      time.Duration
	}{
		{name: "within the default time", age: time.Hour, directory: directory("", nil), left: 719 * time.Hour},
		{name: "within the policy's time", age: time.Minute, directory: directory("", hour), left: 59 * time.Minute},
		{name: "at its end", age: time.Hour, directory: directory("", hour), over: true},
		{name: "after it", age: 2 * time.Hour, directory: directory("", hour), over: true, left: -time.Hour},
		{name: "remembers nobody", directory: directory("", &metav1.Duration{}), over: true},
		{name: "the directory is gone", age: time.Minute, over: true},
		{name: "the directory is being deleted", age: time.Minute, directory: directory("d", hour), over: true},
		{name: "the person is being brought back", age: 30 * time.Minute, directory: directory("", hour), user: user(time.Minute),
			left: 9 * time.Minute},
		{name: "the person was brought back", age: 30 * time.Minute, directory: directory("", hour), user: user(10 * time.Minute),
			over: true},
		{name: "the person is being deleted", age: time.Minute, directory: directory("", hour), user: user(time.Hour),
			left: 9 * time.Minute},
		{name: "the person was not deleted after all", age: 10 * time.Minute, directory: directory("", hour), user: user(time.Hour),
			over: true},
		{name: "the person was just brought back, at the end", age: time.Hour, directory: directory("", hour), user: user(0),
			left: 10 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			stone := &v1alpha1.ScimTombstone{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: ago(c.age)}}
			stone.Spec.DeletionTime = ago(c.age)
			if over, left := decideTombstone(stone, c.directory, c.user, noon); over != c.over || left != c.left {
				t.Errorf("%v, %v", over, left)
			}
		})
	}
}

func remembersFor(ttl time.Duration) func(*v1alpha1.ScimDirectory) {
	return func(d *v1alpha1.ScimDirectory) { d.Spec.Users.TombstoneTTL = &metav1.Duration{Duration: ttl} }
}

// tombstone makes one as the SCIM server does for a user who was deleted some time ago.
func (w *world) tombstone(id, directory string, ago time.Duration) {
	GinkgoHelper()
	t := &v1alpha1.ScimTombstone{ObjectMeta: metav1.ObjectMeta{Name: id}}
	t.Spec.DirectoryRef.Name = directory
	t.Spec.IdentifierSHA256 = v1alpha1.TombstoneHash(w.ns, directory, "ada@example.com")
	t.Spec.DeletionTime = metav1.NewTime(time.Now().Add(-ago))
	w.create(t)
}

var _ = Describe("A deleted user", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	remembered := func(id string) func() bool {
		return func() bool {
			GinkgoHelper()
			return get[v1alpha1.ScimTombstone](w, id) != nil
		}
	}

	Context("to whom a role was granted by hand", func() {
		var ada string
		BeforeEach(func() {
			w.directory("okta", primary, remembersFor(4*time.Second))
			ada = w.user("okta", "ada@example.com")
			w.eventuallyAccess("ada@example.com active []")
			w.grantByHand(ada, "owner")
		})

		It("is remembered with it until the time that the policy gives is over, and no longer", func() {
			w.tombstone(ada, "okta", 0)
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimUser](w, ada))).To(Succeed())
			w.eventuallyAccess("ada@example.com inactive [owner]")
			Expect(remembered(ada)()).To(BeTrue())
			Eventually(remembered(ada)).Should(BeFalse())
			Expect(w.access()).To(BeEmpty())
		})

		It("has it again when brought back under the same id", func() {
			Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimUser](w, ada))).To(Succeed())
			w.eventuallyAccess("ada@example.com inactive [owner]")
			w.user("okta", "ada@example.com", func(u *v1alpha1.ScimUser) { u.Name = ada })
			w.eventuallyAccess("ada@example.com active [owner]")
		})

		It("keeps it when brought back in the last moment, with the tombstone still there", func() {
			w.tombstone(ada, "okta", time.Hour)
			Consistently(remembered(ada)).Should(BeTrue())
			Expect(w.access()).To(Equal([]string{"ada@example.com active [owner]"}))
		})
	})

	It("is remembered for as long as the policy says now", func() {
		w.directory("okta", primary, remembersFor(24*time.Hour))
		young, old := uuid.NewString(), uuid.NewString()
		w.tombstone(young, "okta", time.Minute)
		w.tombstone(old, "okta", 2*time.Hour)
		Consistently(remembered(old)).Should(BeTrue())
		change(w, "okta", remembersFor(time.Hour))
		Eventually(remembered(old)).Should(BeFalse())
		Expect(remembered(young)()).To(BeTrue())
		change(w, "okta", remembersFor(0))
		Eventually(remembered(young)).Should(BeFalse())
	})

	It("is forgotten with the directory", func() {
		w.directory("okta", primary)
		id := uuid.NewString()
		w.tombstone(id, "okta", 0)
		Consistently(remembered(id)).Should(BeTrue())
		Expect(k8s.Delete(w.ctx, get[v1alpha1.ScimDirectory](w, "okta"))).To(Succeed())
		Eventually(remembered(id)).Should(BeFalse())
		stray := uuid.NewString()
		w.tombstone(stray, "okta", 0)
		Eventually(remembered(stray)).Should(BeFalse())
	})
})
