package targets_test

import (
	"context"
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// world is one spec's namespace, with the words in which specs speak.
type world struct {
	ctx context.Context
	ns  string
}

func newWorld() *world {
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "spec-"}}
	Expect(k8s.Create(ctx, ns)).To(Succeed())
	return &world{ctx, ns.Name}
}

func (w *world) create(o client.Object) {
	GinkgoHelper()
	o.SetNamespace(w.ns)
	Expect(k8s.Create(w.ctx, o)).To(Succeed())
}

// get reads an object, or nil.
func get[T any, P interface {
	*T
	client.Object
}](w *world, name string) P {
	GinkgoHelper()
	o := P(new(T))
	err := k8s.Get(w.ctx, client.ObjectKey{Namespace: w.ns, Name: name}, o)
	if apierrors.IsNotFound(err) {
		return nil
	}
	Expect(err).NotTo(HaveOccurred())
	return o
}

// change updates an object by a function, again when somebody else was faster.
func change[T any, P interface {
	*T
	client.Object
}](w *world, name string, f func(P)) {
	GinkgoHelper()
	Eventually(func() error {
		o := P(new(T))
		if err := k8s.Get(w.ctx, client.ObjectKey{Namespace: w.ns, Name: name}, o); err != nil {
			return err
		}
		f(o)
		return k8s.Update(w.ctx, o)
	}).Should(Succeed())
}

func (w *world) roles(names ...string) {
	GinkgoHelper()
	for _, name := range names {
		w.create(&v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
}

// member makes a person, who is called name@example.com; of the AppMembership's name, the person is the beginning.
func (w *world) member(name string, roles ...string) {
	GinkgoHelper()
	m := &v1alpha1.AppMembership{ObjectMeta: metav1.ObjectMeta{Name: name}}
	m.Spec.User = v1alpha1.MemberIdentity{UserName: mail(name), Email: mail(name), DisplayName: name, ExternalID: "x-" + name}
	m.Spec.Active, m.Spec.Roles = true, roles
	w.create(m)
}

func mail(name string) string { return name + "@example.com" }

func (w *world) setRoles(name string, roles ...string) {
	GinkgoHelper()
	change(w, name, func(m *v1alpha1.AppMembership) { m.Spec.Roles = roles })
}

func (w *world) setActive(name string, is bool) {
	GinkgoHelper()
	change(w, name, func(m *v1alpha1.AppMembership) { m.Spec.Active = is })
}

// target makes the AppTarget "target" in mode Enforce.
func (w *world) target(spec v1alpha1.AppTargetSpec, edit ...func(*v1alpha1.AppTargetSpec)) {
	GinkgoHelper()
	w.targetNamed("target", spec, edit...)
}

func (w *world) targetNamed(name string, spec v1alpha1.AppTargetSpec, edit ...func(*v1alpha1.AppTargetSpec)) {
	GinkgoHelper()
	t := &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
	t.Spec.Mode = v1alpha1.TargetEnforce
	for _, f := range edit {
		f(&t.Spec)
	}
	w.create(t)
	DeferCleanup(func() { w.end(name) })
}

// end lets a target go, so that it does nothing more when its spec is over.
func (w *world) end(name string) {
	GinkgoHelper()
	t := &v1alpha1.AppTarget{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.ns}}
	if get[v1alpha1.AppTarget](&world{context.Background(), w.ns}, name) == nil {
		return
	}
	for _, patch := range []string{`{"spec":{"deletionPolicy":"Orphan"}}`, `{"metadata":{"finalizers":null}}`} {
		_ = k8s.Patch(context.Background(), t, client.RawPatch("application/merge-patch+json", []byte(patch)))
	}
	_ = k8s.Delete(context.Background(), t)
}

func (w *world) changeTarget(f func(*v1alpha1.AppTargetSpec)) {
	GinkgoHelper()
	change(w, "target", func(t *v1alpha1.AppTarget) { f(&t.Spec) })
}

func (w *world) status() v1alpha1.AppTargetStatus {
	GinkgoHelper()
	t := get[v1alpha1.AppTarget](w, "target")
	if t == nil {
		return v1alpha1.AppTargetStatus{}
	}
	return t.Status
}

// ready is a target's Ready condition in words, once it is about the newest spec: "True InSync: every grant …".
func (w *world) ready() string {
	GinkgoHelper()
	return w.readyOf("target")
}

func (w *world) readyOf(name string) string {
	GinkgoHelper()
	t := get[v1alpha1.AppTarget](w, name)
	if t == nil {
		return "gone"
	}
	c := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionReady)
	if c == nil || c.ObservedGeneration != t.Generation {
		return ""
	}
	return fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
}

func (w *world) eventuallyReady(beginning string) {
	GinkgoHelper()
	Eventually(w.ready).Should(HavePrefix(beginning))
}

// told are the reasons of the Events on the target.
func (w *world) told() []string {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(k8s.List(w.ctx, &list, client.InNamespace(w.ns))).To(Succeed())
	var reasons []string
	for _, e := range list.Items {
		if e.Regarding.Kind == "AppTarget" && strings.HasPrefix(e.Name, "target.") {
			reasons = append(reasons, e.Reason)
		}
	}
	return reasons
}

// account makes a ServiceAccount with the rules in this namespace. Taking the rights away again is one way in which a system
// fails.
func (w *world) account(name string, rules ...rbacv1.PolicyRule) (fail, mend func()) {
	GinkgoHelper()
	w.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}})
	w.create(&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules})
	mend = func() {
		GinkgoHelper()
		w.create(&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: w.ns, Name: name}},
		})
	}
	mend()
	return func() {
		GinkgoHelper()
		Expect(k8s.Delete(w.ctx, get[rbacv1.RoleBinding](w, name))).To(Succeed())
	}, mend
}

func (w *world) secret(name string, data map[string]string) {
	GinkgoHelper()
	w.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, Type: v1alpha1.TargetSecretType, StringData: data})
}
