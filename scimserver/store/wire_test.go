package store

import (
	"context"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("What the cluster adds to a write", func() {
	It("is in the answer to it, and goes with it when it is undone", func(ctx context.Context) {
		s := replica()
		namespace := newNamespace(ctx)
		d := s.Directory(namespace, "okta")
		name := metav1.ObjectMeta{Name: namespace + ".example.com"}
		policy := &admissionregistrationv1.MutatingAdmissionPolicy{ObjectMeta: name, Spec: admissionregistrationv1.MutatingAdmissionPolicySpec{
			MatchConstraints:   writesOfUsersIn(namespace),
			ReinvocationPolicy: admissionregistrationv1.NeverReinvocationPolicy,
			Mutations: []admissionregistrationv1.Mutation{{
				PatchType:          admissionregistrationv1.PatchTypeApplyConfiguration,
				ApplyConfiguration: &admissionregistrationv1.ApplyConfiguration{Expression: `Object{spec: Object.spec{locale: "en-GB"}}`},
			}},
		}}
		Expect(admin.Create(ctx, policy)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, policy)).To(Succeed()) })
		binding := &admissionregistrationv1.MutatingAdmissionPolicyBinding{ObjectMeta: name, Spec: admissionregistrationv1.MutatingAdmissionPolicyBindingSpec{
			PolicyName: name.Name,
		}}
		Expect(admin.Create(ctx, binding)).To(Succeed())
		DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, binding)).To(Succeed()) })

		Eventually(func(g Gomega) { // once the API server knows the policy
			u, err := d.CreateUser(ctx, person("ada"))
			g.Expect(err).NotTo(HaveOccurred())
			Expect(d.DeleteUser(ctx, u.ID, func(*User) error { return nil })).To(Succeed())
			g.Expect(u.Locale).To(Equal("en-GB"))
		}, 20*time.Second).Should(Succeed())
		u, err := d.CreateUser(ctx, person("grace"))
		Expect(err).NotTo(HaveOccurred())
		Expect(u.Locale).To(Equal("en-GB"))
		u, err = d.UpdateUser(ctx, u.ID, changed(func(a *v1alpha1.UserAttributes) { a.Title, a.Locale = "Dr", "" }))
		Expect(err).NotTo(HaveOccurred())
		Expect(u.Locale).To(Equal("en-GB"))
		Expect(u.Title).To(Equal("Dr"))

		slower := intercepted(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
				_, err := d.CreateUser(ctx, person("Wanted"))
				Expect(err).NotTo(HaveOccurred())
				return c.Create(ctx, obj, opts...)
			},
		})
		_, err = slower.Directory(namespace, "okta").CreateUser(ctx, person("wanted"))
		Expect(err).To(beTaken("userName"))
		list := &v1alpha1.ScimUserList{}
		Expect(admin.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		Expect(list.Items).To(HaveLen(2), "the one that lost is gone, whatever was added to it")
	})
})

var _ = Describe("A watch", func() {
	It("that the API server refuses says why", func(ctx context.Context) {
		w, err := newWire(cluster)
		Expect(err).NotTo(HaveOccurred())
		_, err = w.Watch(ctx, &v1alpha1.ScimUserList{}, client.MatchingFields{"spec.nothing": "x"})
		Expect(apierrors.IsBadRequest(err)).To(BeTrue(), "%v", err)
	})
})

// writesOfUsersIn has a policy match every write of a user in a namespace.
func writesOfUsersIn(namespace string) *admissionregistrationv1.MatchResources {
	return &admissionregistrationv1.MatchResources{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": namespace}},
		ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{RuleWithOperations: admissionregistrationv1.RuleWithOperations{
			Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
			Rule: admissionregistrationv1.Rule{
				APIGroups: []string{v1alpha1.GroupVersion.Group}, APIVersions: []string{"*"}, Resources: []string{"scimusers"},
			},
		}}},
	}
}

func TestWatched(t *testing.T) {
	w, err := newWire(&rest.Config{Host: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	read := func(sent string) *watched {
		bytes := io.NopCloser(iotest.OneByteReader(strings.NewReader(sent)))
		return newWatched(bytes, w.scheme, v1alpha1.GroupVersion.WithKind("ScimUser"))
	}
	title := strings.Repeat("x", 5000)
	stream := read(`{"type":"ADDED","object":{"apiVersion":"scim-operator.io/v1alpha1","kind":"ScimUser","metadata":{"name":"a"},"spec":{"title":"x","title":"` +
		title + `","extensions":{"urn:x":{"a":1}},"later":1}},"later":{}}` + "\n" +
		`{"type":"BOOKMARK","object":{"kind":"ScimUser","metadata":{"resourceVersion":"7"}}}` +
		`{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"Expired","code":410}}{"type":"DELETED`)
	var got []watch.Event // all are read before any is looked at: nothing of the stream's buffer may be in them
	for range 3 {
		action, object, err := stream.Decode()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, watch.Event{Type: action, Object: object})
	}
	for i, want := range []watch.Event{
		{Type: watch.Added, Object: &v1alpha1.ScimUser{
			TypeMeta:   metav1.TypeMeta{Kind: "ScimUser", APIVersion: v1alpha1.GroupVersion.String()},
			ObjectMeta: metav1.ObjectMeta{Name: "a"},
			Spec: v1alpha1.ScimUserSpec{
				UserAttributes: v1alpha1.UserAttributes{Title: title},
				Extensions:     map[string]v1alpha1.Extension{"urn:x": {RawExtension: runtime.RawExtension{Raw: []byte(`{"a":1}`)}}},
			},
		}},
		{Type: watch.Bookmark, Object: &v1alpha1.ScimUser{
			TypeMeta: metav1.TypeMeta{Kind: "ScimUser"}, ObjectMeta: metav1.ObjectMeta{ResourceVersion: "7"},
		}},
		{Type: watch.Error, Object: &metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Reason: "Expired", Code: 410,
		}},
	} {
		if !reflect.DeepEqual(got[i], want) {
			t.Errorf("%s %#v, not %s", got[i].Type, got[i].Object, want.Type)
		}
	}
	// A watch compares these two as they are.
	if _, _, err := stream.Decode(); err != io.ErrUnexpectedEOF { //nolint:errorlint // see above
		t.Errorf("in the middle of an event: %v", err)
	}
	if _, _, err := read("\n").Decode(); err != io.EOF { //nolint:errorlint // see above
		t.Errorf("at the end: %v", err)
	}
	for _, sent := range []string{
		`x`, `[]`, `{}`, `{"type":"ADDED"}`, `{"object":{"metadata":{}},"type":"ADDED"}`, `{"type":"ADDED","object":{"spec":{"title":1}}}`,
	} {
		if action, object, err := read(sent).Decode(); err == nil {
			t.Errorf("%s: %s %#v", sent, action, object)
		}
	}
}
