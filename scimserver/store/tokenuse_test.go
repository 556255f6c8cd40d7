package store

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/events"
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
	register := func(ctx context.Context, names ...string) {
		GinkgoHelper()
		namespace := newNamespace(ctx)
		token = "scimop_" + namespace + strings.Repeat("k", 40)
		Expect(admin.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "token"}, Type: v1alpha1.TokenSecretType,
			StringData: map[string]string{v1alpha1.TokenSecretKey: token},
		})).To(Succeed())
		directory = &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "okta"}}
		for _, name := range names {
			directory.Spec.Tokens = append(directory.Spec.Tokens, v1alpha1.DirectoryToken{Name: name, SecretRef: v1alpha1.SecretReference{Name: "token"}})
		}
		Expect(admin.Create(ctx, directory)).To(Succeed())
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
	status := func(ctx context.Context) v1alpha1.ScimDirectoryStatus {
		GinkgoHelper()
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(directory), directory)).To(Succeed())
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
		register(ctx, "okta")
		began := time.Now().Add(-time.Second)
		for range 100 {
			use(s)
		}
		Eventually(func() v1alpha1.ScimDirectoryStatus { return status(ctx) }, 15*time.Second).Should(HaveField("Tokens", HaveLen(1)))
		first := directory.Status
		Expect(first.Tokens[0].LastUsedTime.Time).To(BeTemporally("~", began, 20*time.Second))
		Expect(first.LastRequestTime).To(Equal(first.Tokens[0].LastUsedTime))
		var secret corev1.Secret
		Expect(admin.Get(ctx, client.ObjectKey{Namespace: directory.Namespace, Name: "token"}, &secret)).To(Succeed())
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
		Expect(status(ctx).Tokens[0].LastUsedTime.Time).To(BeTemporally("~", now.Add(6*time.Minute), 2*time.Second))
		Expect(reports.Load()).To(BeEquivalentTo(2))
	})

	It("is reported of a new version of the Secret at once", func(ctx context.Context) {
		s := replica()
		register(ctx, "okta")
		use(s)
		Eventually(func() v1alpha1.ScimDirectoryStatus { return status(ctx) }, 15*time.Second).Should(HaveField("Tokens", HaveLen(1)))
		before := directory.Status.Tokens[0].UsedSecretVersion
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: directory.Namespace, Name: "token"}}
		Expect(admin.Get(ctx, client.ObjectKeyFromObject(secret), secret)).To(Succeed())
		token = "scimop_" + directory.Namespace + strings.Repeat("n", 40)
		secret.Data = map[string][]byte{v1alpha1.TokenSecretKey: []byte(token)}
		Expect(admin.Update(ctx, secret)).To(Succeed())
		use(s)
		Eventually(func() string { return status(ctx).Tokens[0].UsedSecretVersion }, 15*time.Second).Should(And(Equal(secret.ResourceVersion), Not(Equal(before))))
	})

	It("keeps what other replicas and the controllers report, and the later of two times", func(ctx context.Context) {
		one, two := replica(), replica()
		register(ctx, "okta")
		Expect(admin.Status().Apply(ctx, ac.ScimDirectory(directory.Name, directory.Namespace).WithStatus(ac.ScimDirectoryStatus().
			WithBaseURL("https://scim.example.com").WithTokens(ac.DirectoryTokenStatus().WithName("okta").WithState(v1alpha1.TokenValid).WithLastFour("kkkk"))),
			client.FieldOwner(v1alpha1.FieldManager), client.ForceOwnership)).To(Succeed())
		now := time.Now().Truncate(time.Second)
		two.now = func() time.Time { return now.Add(time.Hour) }
		use(two)
		Eventually(func() bool { return status(ctx).LastRequestTime != nil }, 15*time.Second).Should(BeTrue())
		c, _ := one.Authenticate(token, directory.Namespace, directory.Name)
		one.NoteUse(c)
		one.NoteExpired(c)
		Eventually(func() v1alpha1.DirectoryTokenStatus { return status(ctx).Tokens[0] }, 15*time.Second).Should(And(
			HaveField("LastFailureReason", v1alpha1.TokenFailureExpired),
			HaveField("LastUsedTime.Time", BeTemporally("==", now.Add(time.Hour))),
			HaveField("State", v1alpha1.TokenValid), HaveField("LastFour", "kkkk")))
		Expect(directory.Status.BaseURL).To(Equal("https://scim.example.com"))
	})

	It("is forgotten with the token, and of nobody else's", func(ctx context.Context) {
		s := replica()
		register(ctx, "a", "b")
		for _, name := range []string{"a", "b"} {
			s.NoteUse(Credential{Namespace: directory.Namespace, Directory: directory.Name, Token: name, secretVersion: "1"})
		}
		Eventually(func() v1alpha1.ScimDirectoryStatus { return status(ctx) }, 15*time.Second).Should(HaveField("Tokens", HaveLen(2)))
		directory.Spec.Tokens = directory.Spec.Tokens[:1]
		Expect(admin.Update(ctx, directory)).To(Succeed())
		Eventually(func() []v1alpha1.DirectoryTokenStatus { return status(ctx).Tokens }, 15*time.Second).Should(HaveExactElements(HaveField("Name", "a")))
	})

	It("is told of each token that lacks a scope, and counted when it goes on", func(ctx context.Context) {
		clients, err := kubernetes.NewForConfig(cluster)
		Expect(err).NotTo(HaveOccurred())
		broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: clients.EventsV1()})
		Expect(broadcaster.StartRecordingToSinkWithContext(ctx)).To(Succeed())
		DeferCleanup(broadcaster.Shutdown)
		s, err := New(cluster, Options{
			MaxStaleness: time.Minute, Log: logr.Discard(), Events: broadcaster.NewRecorder(admin.Scheme(), "scim-operator"),
		})
		Expect(err).NotTo(HaveOccurred())
		now := time.Now()
		var passed atomic.Int64
		s.now = func() time.Time { return now.Add(time.Duration(passed.Load())) }
		start(s)
		register(ctx, "reader", "another")
		refuse := func(token string) {
			s.NoteMissing(Credential{Namespace: directory.Namespace, Directory: directory.Name, Token: token, uid: directory.UID}, "Write")
		}
		refuse("reader")
		refuse("reader")
		refuse("another")
		told := func() ([]eventsv1.Event, error) {
			var list eventsv1.EventList
			err := admin.List(ctx, &list, client.InNamespace(directory.Namespace))
			return list.Items, err
		}
		Eventually(told).Should(HaveLen(2)) // what is counted is an event that is there
		passed.Store(int64(scopeEventInterval))
		refuse("reader")
		Eventually(told, 10*time.Second).Should(ConsistOf(
			And(HaveField("Note", ContainSubstring(`"reader"`)), HaveField("Series", HaveValue(HaveField("Count", BeEquivalentTo(2))))),
			And(HaveField("Note", ContainSubstring(`"another"`)), HaveField("Series", BeNil())),
		))
	})

	It("is reported to the last when the server ends, whoever else writes meanwhile", func(ctx context.Context) {
		conflicts := atomic.Int32{}
		base, err := New(cluster, Options{})
		Expect(err).NotTo(HaveOccurred())
		s := newStore(interceptor.NewClient(base.client, interceptor.Funcs{
			SubResourceApply: func(ctx context.Context, c client.Client, sub string, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
				if conflicts.Add(1) == 1 {
					d := &v1alpha1.ScimDirectory{}
					Expect(admin.Get(ctx, client.ObjectKeyFromObject(directory), d)).To(Succeed())
					d.Spec.Suspended = true
					Expect(admin.Update(ctx, d)).To(Succeed())
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
		register(ctx, "okta")
		use(s)
		stop()
		Eventually(ended, 10*time.Second).Should(BeClosed())
		Expect(status(ctx).Tokens).To(HaveLen(1))
		Expect(conflicts.Load()).To(BeNumerically(">=", 2))
	})
})
