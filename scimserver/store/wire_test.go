package store

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
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

func TestKindIn(t *testing.T) {
	for object, want := range map[string]string{
		`{"apiVersion":"scim-operator.io/v1alpha1","kind":"ScimUser","metadata":{`: "scim-operator.io/v1alpha1, Kind=ScimUser",
		`{"kind":"ScimUser","apiVersion":"scim-operator.io/v1alpha1"}`:             "scim-operator.io/v1alpha1, Kind=ScimUser",
		`{"spec":{"kind":"Other","a":["x"]},"kind":"Status","apiVersion":"v1"}`:    "/v1, Kind=Status",
		`{"type":"ADDED","object":{"apiVersion":"v1","kind":"Secret"}}`:            "/, Kind=",
		`[1]`: "/, Kind=",
		`{}`:  "/, Kind=",
	} {
		if got, err := kindIn([]byte(object)); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", object, got, err, want)
		}
	}
	for _, broken := range []string{``, `{"apiVersion"`, `{"spec":{"a":`, `{"apiVersion":"a/b/c","kind":"X"}`} {
		if got, err := kindIn([]byte(broken)); err == nil {
			t.Errorf("%s: %v", broken, got)
		}
	}
}

func TestReader(t *testing.T) {
	w, err := newWire(&rest.Config{Host: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	r := reader{scheme: w.scheme}
	for sent, want := range map[string]runtime.Object{
		`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old","reason":"Expired","code":410}`: &metav1.Status{
			TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Message: "too old", Reason: "Expired", Code: 410,
		},
		`{"apiVersion":"scim-operator.io/v1alpha1","kind":"ScimUser","metadata":{"name":"a"},"spec":{"title":"x","title":"y","later":1}}`: &v1alpha1.ScimUser{
			TypeMeta:   metav1.TypeMeta{Kind: "ScimUser", APIVersion: v1alpha1.GroupVersion.String()},
			ObjectMeta: metav1.ObjectMeta{Name: "a"},
			Spec:       v1alpha1.ScimUserSpec{UserAttributes: v1alpha1.UserAttributes{Title: "y"}},
		},
	} {
		if got, _, err := r.Decode([]byte(sent), nil, nil); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v", sent, got, err)
		}
	}
	for _, sent := range []string{
		`{"apiVersion":"v9","kind":"Nothing"}`, `{}`, `x`, `{"apiVersion":"scim-operator.io/v1alpha1","kind":"ScimUser","spec":{"title":1}}`,
	} {
		if got, _, err := r.Decode([]byte(sent), nil, nil); err == nil {
			t.Errorf("%s: %#v", sent, got)
		}
	}
}

func TestFrames(t *testing.T) {
	long := `{"type":"ADDED","object":{"title":"` + strings.Repeat("x", 5000) + `"}}`
	sent := `{"type":"BOOKMARK"}` + "\n" + long + "\n" + `{"type":"DELETED"}{"type":`
	stream := framer{}.NewFrameReader(io.NopCloser(iotest.OneByteReader(strings.NewReader(sent))))
	for _, want := range []string{`{"type":"BOOKMARK"}`, long, `{"type":"DELETED"}`} {
		got, room := "", make([]byte, 1024)
		n, err := stream.Read(room)
		for got = string(room[:n]); errors.Is(err, io.ErrShortBuffer); got += string(room[:n]) {
			n, err = stream.Read(room)
		}
		if got != want || err != nil {
			t.Errorf("%.40s…: %v, not %.40s…", got, err, want)
		}
	}
	if n, err := stream.Read(make([]byte, 1024)); n != 0 || err != io.ErrUnexpectedEOF { //nolint:errorlint // as a watch compares it
		t.Errorf("%d bytes of an object that was cut off: %v", n, err)
	}
	if _, err := (framer{}).NewFrameReader(io.NopCloser(strings.NewReader("\n"))).Read(nil); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}
