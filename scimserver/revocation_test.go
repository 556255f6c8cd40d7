package scimserver_test

import (
	"context"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

var _ = Describe("With two replicas, a token", func() {
	// revoked is how soon every replica refuses a token that was taken away.
	const revoked = 2 * time.Second

	var replicas []string
	BeforeEach(func() {
		other, err := store.New(config, store.Options{MaxStaleness: time.Minute, Log: logr.Discard()})
		Expect(err).NotTo(HaveOccurred())
		start(other)
		replicas = []string{server.URL, serve(other, scimserver.Options{}).URL}
	})

	// statuses are what the replicas answer to a token.
	statuses := func(t *tenant, token string) func() []int {
		return func() []int {
			GinkgoHelper()
			var all []int
			for _, url := range replicas {
				at := *t
				at.url, at.token = url, token
				all = append(all, at.get("/Users").status)
			}
			return all
		}
	}
	accepted := []int{http.StatusOK, http.StatusOK}
	refused := []int{http.StatusUnauthorized, http.StatusUnauthorized}
	expectAccepted := func(t *tenant, tokens ...string) {
		GinkgoHelper()
		for _, token := range tokens {
			Eventually(statuses(t, token)).WithTimeout(10 * time.Second).Should(Equal(accepted))
		}
	}
	expectRefused := func(t *tenant, token string) {
		GinkgoHelper()
		Eventually(statuses(t, token)).WithTimeout(revoked).WithPolling(20 * time.Millisecond).Should(Equal(refused))
	}
	edit := func(ctx context.Context, t *tenant, change func(*v1alpha1.ScimDirectory)) {
		GinkgoHelper()
		Eventually(func() error {
			d := &v1alpha1.ScimDirectory{}
			if err := cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: t.directory}, d); err != nil {
				return err
			}
			change(d)
			return cluster.Update(ctx, d)
		}).Should(Succeed())
	}
	entry := func(name string) v1alpha1.DirectoryToken {
		return v1alpha1.DirectoryToken{Name: name, SecretRef: v1alpha1.SecretReference{Name: name}}
	}
	deleteSecret := func(ctx context.Context, t *tenant, name string) {
		GinkgoHelper()
		Expect(cluster.Delete(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: name}})).To(Succeed())
	}

	It("is replaced by another while both work, and ends with its entry", func(ctx SpecContext) {
		t := newTenant(ctx)
		old, next := t.token, newToken(ctx, t.namespace, "next")
		edit(ctx, t, func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens = append(d.Spec.Tokens, entry("next")) })
		expectAccepted(t, old, next)
		edit(ctx, t, func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens = d.Spec.Tokens[1:] })
		expectRefused(t, old)
		expectAccepted(t, next)
	})

	It("ends with its Secret, and the one in a new Secret of that name takes its place", func(ctx SpecContext) {
		t := newTenant(ctx)
		expectAccepted(t, t.token)
		deleteSecret(ctx, t, t.directory)
		expectRefused(t, t.token)
		next := newToken(ctx, t.namespace, t.directory)
		expectAccepted(t, next)
		Expect(statuses(t, t.token)()).To(Equal(refused))
	})

	It("ends when its Secret is given another one", func(ctx SpecContext) {
		t := newTenant(ctx)
		old, next := t.token, newToken(ctx, t.namespace, "next")
		expectAccepted(t, old)
		secret := &corev1.Secret{}
		Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: t.directory}, secret)).To(Succeed())
		secret.Data[v1alpha1.TokenSecretKey] = []byte(next)
		Expect(cluster.Update(ctx, secret)).To(Succeed())
		expectRefused(t, old)
		expectAccepted(t, next)
	})

	It("ends when it expires, and not before", func(ctx SpecContext) {
		t := newTenant(ctx)
		lasting := newToken(ctx, t.namespace, "lasting")
		ends := time.Now().Add(4 * time.Second).Truncate(time.Second)
		edit(ctx, t, func(d *v1alpha1.ScimDirectory) {
			d.Spec.Tokens[0].ExpirationTime = &metav1.Time{Time: ends}
			d.Spec.Tokens = append(d.Spec.Tokens, entry("lasting"))
		})
		expectAccepted(t, lasting)
		Eventually(statuses(t, t.token)).WithTimeout(time.Until(ends) + revoked).WithPolling(20 * time.Millisecond).Should(Equal(refused))
		Expect(time.Now()).To(BeTemporally(">=", ends))
		expectAccepted(t, lasting)
	})
})
