package store

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var _ = Describe("A write that the API server refuses", func() {
	It("may be sent again when an admission policy could not be asked, as when the API server has just started", func(ctx context.Context) {
		s := replica()
		namespace := newNamespace(ctx)
		d := s.Directory(namespace, "okta")
		// Nobody ever knows the kind of this policy's parameters.
		name := metav1.ObjectMeta{Name: namespace + ".example.com"}
		Expect(admin.Create(ctx, &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: name, Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			ParamKind:        &admissionregistrationv1.ParamKind{APIVersion: "example.com/v1", Kind: "Nothing"},
			FailurePolicy:    new(admissionregistrationv1.Fail),
			MatchConstraints: writesOfUsersIn(namespace),
			Validations:      []admissionregistrationv1.Validation{{Expression: "true"}},
		}})).To(Succeed())
		policy := &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: name}
		DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, policy)).To(Succeed()) })
		Expect(admin.Create(ctx, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: name, Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: name.Name, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
			ParamRef: &admissionregistrationv1.ParamRef{Selector: &metav1.LabelSelector{}, ParameterNotFoundAction: new(admissionregistrationv1.AllowAction)},
		}})).To(Succeed())
		binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: name}
		DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, binding)).To(Succeed()) })

		Eventually(func() error { // once the API server knows the policy
			u, err := d.CreateUser(ctx, person("ada"))
			if err == nil {
				Expect(d.DeleteUser(ctx, u.ID, func(*User) error { return nil })).To(Succeed())
			}
			return err
		}, 20*time.Second).Should(MatchError(ErrUnavailable))
	})
})
