package store

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("A write that the API server refuses", func() {
	It("may be sent again when an admission policy could not be asked, as when the API server has just started", func(ctx context.Context) {
		s := replica()
		namespace := newNamespace(ctx)
		d := s.Directory(namespace, "okta")
		// Nobody ever knows the kind of this policy's parameters.
		name := metav1.ObjectMeta{Name: namespace + ".example.com"}
		Expect(admin.Create(ctx, &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: name, Spec: admissionv1.ValidatingAdmissionPolicySpec{
			ParamKind:     &admissionv1.ParamKind{APIVersion: "example.com/v1", Kind: "Nothing"},
			FailurePolicy: new(admissionv1.Fail),
			MatchConstraints: &admissionv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": namespace}},
				ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create},
					Rule: admissionv1.Rule{
						APIGroups: []string{v1alpha1.GroupVersion.Group}, APIVersions: []string{"*"}, Resources: []string{"scimusers"},
					},
				}}},
			},
			Validations: []admissionv1.Validation{{Expression: "true"}},
		}})).To(Succeed())
		policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: name}
		DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, policy)).To(Succeed()) })
		Expect(admin.Create(ctx, &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: name, Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: name.Name, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
			ParamRef: &admissionv1.ParamRef{Selector: &metav1.LabelSelector{}, ParameterNotFoundAction: new(admissionv1.AllowAction)},
		}})).To(Succeed())
		binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: name}
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
