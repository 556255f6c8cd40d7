package store

import (
	"context"
	"errors"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestResultOfAWrite(t *testing.T) {
	users := schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "scimusers"}
	for want, errs := range map[string][]error{
		"stored":   {nil},
		"conflict": {apierrors.NewConflict(users, "a", nil), apierrors.NewAlreadyExists(users, "a"), apierrors.NewNotFound(users, "a")},
		"refused":  {apierrors.NewInvalid(schema.GroupKind{}, "a", nil), apierrors.NewBadRequest(""), apierrors.NewRequestEntityTooLargeError("")},
		"failed":   {apierrors.NewForbidden(users, "a", nil), apierrors.NewInternalError(errors.New("no leader")), context.DeadlineExceeded},
	} {
		for _, err := range errs {
			if got := resultOf(err); got != want {
				t.Errorf("%v: %s, want %s", err, got, want)
			}
		}
	}
}

var _ = Describe("The metrics of a replica", func() {
	It("count a name that it gave away when another one had", func(ctx context.Context) {
		namespace := newNamespace(ctx)
		late, early := frozenReplica(namespace), replica().Directory(namespace, "okta")
		_, err := early.CreateUser(ctx, person("grace"))
		Expect(err).NotTo(HaveOccurred())
		go func() { // the late one looks again once it sees its own write
			defer GinkgoRecover()
			Eventually(func() []v1alpha1.ScimUser {
				list := &v1alpha1.ScimUserList{}
				Expect(admin.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
				return list.Items
			}).Should(HaveLen(2))
			late.thaw()
		}()
		_, err = late.CreateUser(ctx, person("grace"))
		Expect(err).To(beTaken("userName"))
		m := late.store.metrics
		Expect(count(m.undone.WithLabelValues("User"))).To(BeEquivalentTo(1))
		Expect(count(m.undone.WithLabelValues("Group"))).To(BeZero())
		Expect(count(m.writes.WithLabelValues("ScimUser", "create", "stored"))).To(BeEquivalentTo(1))
		Expect(count(m.writes.WithLabelValues("ScimUser", "delete", "stored"))).To(BeEquivalentTo(1))
		Expect(count(early.store.metrics.undone.WithLabelValues("User"))).To(BeZero())
	})
})

func count(c prometheus.Counter) float64 {
	GinkgoHelper()
	m := &dto.Metric{}
	Expect(c.Write(m)).To(Succeed())
	return m.GetCounter().GetValue()
}
