package store

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("The use of tokens", func() {
	// counting is a replica that counts what it reports.
	counting := func() (*Store, *atomic.Int32) {
		GinkgoHelper()
		reports := &atomic.Int32{}
		return intercepted(interceptor.Funcs{
			SubResourceApply: func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
				reports.Add(1)
				return c.SubResource(sub).Apply(ctx, obj, opts...)
			},
		}), reports
	}
	var directory *v1alpha1.ScimDirectory
	var token string
	register := func(ctx context.Context, s *Store, names ...string) {
		GinkgoHelper()
		namespace := newNamespace(ctx, s)
		token = "scimop_" + namespace + strings.Repeat("k", 40)
		Expect(s.client.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "token"}, Type: v1alpha1.TokenSecretType,
			StringData: map[string]string{v1alpha1.TokenSecretKey: token},
		})).To(Succeed())
		directory = &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "okta"}}
		for _, name := range names {
			directory.Spec.Tokens = append(directory.Spec.Tokens, v1alpha1.DirectoryToken{Name: name, SecretRef: v1alpha1.SecretReference{Name: "token"}})
		}
		Expect(s.client.Create(ctx, directory)).To(Succeed())
	}
	use := func(s *Store) {
		GinkgoHelper()
		var c Credential
		Eventually(func() (ok bool) {
			c, ok = s.Authenticate(token, directory.Namespace, directory.Name)
			return ok
		}, 10*time.Second).Should(BeTrue())
		s.NoteUse(c)
	}
	status := func(ctx context.Context, s *Store) v1alpha1.ScimDirectoryStatus {
		GinkgoHelper()
		Expect(s.client.Get(ctx, client.ObjectKeyFromObject(directory), directory)).To(Succeed())
		return directory.Status
	}
	seen := func(s *Store) func() []v1alpha1.DirectoryTokenStatus {
		return func() []v1alpha1.DirectoryTokenStatus {
			s.index.mu.RLock()
			defer s.index.mu.RUnlock()
			return s.directories.objects[client.ObjectKeyFromObject(directory)].Status.Tokens
		}
	}

	It("is reported once for many requests, and again after five minutes", func(ctx context.Context) {
		s, reports := counting()
		register(ctx, s, "okta")
		began := time.Now().Add(-time.Second)
		for range 100 {
			use(s)
		}
		Eventually(func() v1alpha1.ScimDirectoryStatus { return status(ctx, s) }, 15*time.Second).Should(HaveField("Tokens", HaveLen(1)))
		first := directory.Status
		Expect(first.Tokens[0].LastUsedTime.Time).To(BeTemporally("~", began, 20*time.Second))
		Expect(first.LastRequestTime).To(Equal(first.Tokens[0].LastUsedTime))
		var secret corev1.Secret
		Expect(s.client.Get(ctx, client.ObjectKey{Namespace: directory.Namespace, Name: "token"}, &secret)).To(Succeed())
		Expect(first.Tokens[0].UsedSecretVersion).To(Equal(secret.ResourceVersion))
		Eventually(seen(s)).Should(HaveLen(1))

		for range 100 {
			use(s)
			s.flushUse(ctx, useResolution)
		}
		Expect(reports.Load()).To(BeEquivalentTo(1))
		now := time.Now()
		s.now = func() time.Time { return now.Add(6 * time.Minute) }
		use(s)
		s.flushUse(ctx, useResolution)
		Expect(status(ctx, s).Tokens[0].LastUsedTime.Time).To(BeTemporally("~", now.Add(6*time.Minute), 2*time.Second))
		Expect(reports.Load()).To(BeEquivalentTo(2))
	})

	It("is reported of a new version of the Secret at once", func(ctx context.Context) {
		s := replica()
		register(ctx, s, "okta")
		use(s)
		Eventually(func() v1alpha1.ScimDirectoryStatus { return status(ctx, s) }, 15*time.Second).Should(HaveField("Tokens", HaveLen(1)))
		before := directory.Status.Tokens[0].UsedSecretVersion
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: directory.Namespace, Name: "token"}}
		Expect(s.client.Get(ctx, client.ObjectKeyFromObject(secret), secret)).To(Succeed())
		token = "scimop_" + directory.Namespace + strings.Repeat("n", 40)
		secret.Data = map[string][]byte{v1alpha1.TokenSecretKey: []byte(token)}
		Expect(s.client.Update(ctx, secret)).To(Succeed())
		use(s)
		Eventually(func() string { return status(ctx, s).Tokens[0].UsedSecretVersion }, 15*time.Second).Should(And(Equal(secret.ResourceVersion), Not(Equal(before))))
	})

	It("keeps what other replicas and the controllers report, and the later of two times", func(ctx context.Context) {
		one, two := replica(), replica()
		register(ctx, one, "okta")
		Expect(one.client.Status().Apply(ctx, ac.ScimDirectory(directory.Name, directory.Namespace).WithStatus(ac.ScimDirectoryStatus().
			WithBaseURL("https://scim.example.com").WithTokens(ac.DirectoryTokenStatus().WithName("okta").WithState(v1alpha1.TokenValid).WithLastFour("kkkk"))),
			client.FieldOwner(v1alpha1.FieldManager), client.ForceOwnership)).To(Succeed())
		now := time.Now().Truncate(time.Second)
		two.now = func() time.Time { return now.Add(time.Hour) }
		use(two)
		Eventually(func() bool { return status(ctx, one).LastRequestTime != nil }, 15*time.Second).Should(BeTrue())
		c, _ := one.Authenticate(token, directory.Namespace, directory.Name)
		one.NoteUse(c)
		one.NoteExpired(c)
		Eventually(func() v1alpha1.DirectoryTokenStatus { return status(ctx, one).Tokens[0] }, 15*time.Second).Should(And(
			HaveField("LastFailureReason", v1alpha1.TokenFailureExpired),
			HaveField("LastUsedTime.Time", BeTemporally("==", now.Add(time.Hour))),
			HaveField("State", v1alpha1.TokenValid), HaveField("LastFour", "kkkk")))
		Expect(directory.Status.BaseURL).To(Equal("https://scim.example.com"))
	})

	It("is forgotten with the token, and of nobody else's", func(ctx context.Context) {
		s := replica()
		register(ctx, s, "a", "b")
		for _, name := range []string{"a", "b"} {
			s.NoteUse(Credential{Namespace: directory.Namespace, Directory: directory.Name, Token: name, secretVersion: "1"})
		}
		Eventually(func() v1alpha1.ScimDirectoryStatus { return status(ctx, s) }, 15*time.Second).Should(HaveField("Tokens", HaveLen(2)))
		directory.Spec.Tokens = directory.Spec.Tokens[:1]
		Expect(s.client.Update(ctx, directory)).To(Succeed())
		Eventually(func() []v1alpha1.DirectoryTokenStatus { return status(ctx, s).Tokens }, 15*time.Second).Should(HaveExactElements(HaveField("Name", "a")))
	})

	It("is reported to the last when the server ends, whoever else writes meanwhile", func(ctx context.Context) {
		other := replica()
		conflicts := atomic.Int32{}
		base, err := New(cluster, Options{})
		Expect(err).NotTo(HaveOccurred())
		s := newStore(interceptor.NewClient(base.client, interceptor.Funcs{
			SubResourceApply: func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
				if conflicts.Add(1) == 1 {
					d := &v1alpha1.ScimDirectory{}
					Expect(other.client.Get(ctx, client.ObjectKeyFromObject(directory), d)).To(Succeed())
					d.Spec.Suspended = true
					Expect(other.client.Update(ctx, d)).To(Succeed())
				}
				return c.SubResource(sub).Apply(ctx, obj, opts...)
			},
		}), Options{MaxStaleness: time.Minute})
		running, stop := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = s.Start(running)
		}()
		Eventually(s.Fresh, 20*time.Second).Should(Succeed())
		register(ctx, other, "okta")
		use(s)
		stop()
		Eventually(ended, 10*time.Second).Should(BeClosed())
		Expect(status(ctx, other).Tokens).To(HaveLen(1))
		Expect(conflicts.Load()).To(BeNumerically(">=", 2))
	})
})
