package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("Tokens", func() {
	var (
		s         *Store
		namespace string
	)
	token := "scimop_" + strings.Repeat("k", 40)
	both := []v1alpha1.TokenScope{v1alpha1.ScopeRead, v1alpha1.ScopeWrite}

	secret := func(ctx context.Context, secretType, name string, data map[string]string) *corev1.Secret {
		GinkgoHelper()
		obj := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
			Type:       corev1.SecretType(secretType), StringData: data,
		}
		Expect(admin.Create(ctx, obj)).To(Succeed())
		return obj
	}
	directory := func(ctx context.Context, name string, tokens ...v1alpha1.DirectoryToken) *v1alpha1.ScimDirectory {
		GinkgoHelper()
		obj := &v1alpha1.ScimDirectory{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
			Spec:       v1alpha1.ScimDirectorySpec{Tokens: tokens},
		}
		Expect(admin.Create(ctx, obj)).To(Succeed())
		return obj
	}
	use := func(secret string) v1alpha1.DirectoryToken {
		return v1alpha1.DirectoryToken{Name: "t", SecretRef: v1alpha1.SecretReference{Name: secret}, Scopes: both}
	}
	authenticate := func(path ...string) func() *Credential {
		return func() *Credential {
			c, ok := s.Authenticate(token, path[0], path[1])
			if !ok {
				return nil
			}
			c.uid, c.secretVersion = "", ""
			return &c
		}
	}
	BeforeEach(func(ctx context.Context) {
		s = replica()
		namespace = newNamespace(ctx)
		// The specs share a cluster, and a token must be of one directory.
		token = "scimop_" + namespace + strings.Repeat("k", 40)
	})

	It("open their directory, by plaintext and by hash, until they are taken away", func(ctx context.Context) {
		plain := secret(ctx, v1alpha1.TokenSecretType, "plain", map[string]string{"token": token + "\n"})
		d := directory(ctx, "okta", use("plain"))
		want := &Credential{Namespace: namespace, Directory: "okta", Token: "t", Read: true, Write: true}
		Eventually(authenticate(namespace, "okta")).Should(Equal(want))
		Expect(authenticate("", "")()).To(Equal(want), "without a path the token says which directory")

		By("ending the token with its Secret")
		Expect(admin.Delete(ctx, plain)).To(Succeed())
		Eventually(authenticate(namespace, "okta")).Should(BeNil())

		By("using a hash")
		digest := sha256.Sum256([]byte(token))
		secret(ctx, v1alpha1.TokenSecretType, "hash", map[string]string{"tokenSHA256": strings.ToUpper(hex.EncodeToString(digest[:]))})
		d.Spec.Tokens = []v1alpha1.DirectoryToken{use("hash")}
		Expect(admin.Update(ctx, d)).To(Succeed())
		Eventually(authenticate(namespace, "okta")).Should(Equal(want))

		By("ending the token with its entry")
		d.Spec.Tokens = nil
		Expect(admin.Update(ctx, d)).To(Succeed())
		Eventually(authenticate(namespace, "okta")).Should(BeNil())
	})

	It("do not open another directory, nor any when they are of two", func(ctx context.Context) {
		secret(ctx, v1alpha1.TokenSecretType, "shared", map[string]string{"token": token})
		directory(ctx, "okta", use("shared"))
		directory(ctx, "other")
		Eventually(authenticate(namespace, "okta")).ShouldNot(BeNil())
		Expect(authenticate(namespace, "other")()).To(BeNil())
		Expect(authenticate("elsewhere", "okta")()).To(BeNil())
		directory(ctx, "entra", use("shared"))
		Eventually(authenticate(namespace, "entra")).ShouldNot(BeNil())
		Expect(authenticate("", "")()).To(BeNil())
	})

	It("are not read from a Secret of another type, nor when they are short", func(ctx context.Context) {
		secret(ctx, "Opaque", "opaque", map[string]string{"token": token})
		secret(ctx, v1alpha1.TokenSecretType, "short", map[string]string{"token": "short"})
		secret(ctx, v1alpha1.TokenSecretType, "marker", map[string]string{"token": token + "marker"})
		directory(ctx, "okta", use("opaque"), v1alpha1.DirectoryToken{Name: "u", SecretRef: v1alpha1.SecretReference{Name: "short"}},
			v1alpha1.DirectoryToken{Name: "m", SecretRef: v1alpha1.SecretReference{Name: "marker"}})
		Eventually(func() bool { _, ok := s.Authenticate(token+"marker", namespace, "okta"); return ok }).Should(BeTrue())
		Expect(authenticate(namespace, "okta")()).To(BeNil())
		_, ok := s.Authenticate("short", namespace, "okta")
		Expect(ok).To(BeFalse())
	})

	It("expire to the second and keep their scopes", func(ctx context.Context) {
		secret(ctx, v1alpha1.TokenSecretType, "plain", map[string]string{"token": token})
		t := use("plain")
		t.Scopes = []v1alpha1.TokenScope{v1alpha1.ScopeRead}
		end := time.Now().Add(time.Hour).Truncate(time.Second)
		t.ExpirationTime = new(metav1.NewTime(end))
		directory(ctx, "okta", t)
		Eventually(authenticate(namespace, "okta")).Should(And(HaveField("Read", true), HaveField("Write", false)))
		s.now = func() time.Time { return end.Add(-time.Second) }
		Expect(authenticate(namespace, "okta")()).NotTo(BeNil())
		s.now = func() time.Time { return end }
		Expect(authenticate(namespace, "okta")()).To(BeNil())
	})
})
