package targets_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/openfga"
)

// fga is a real server, each of whose stores is one world's.
var fga = sync.OnceValue(func() *openfga.Server {
	GinkgoHelper()
	server, err := openfga.Start(context.Background(), openfga.Options{Progress: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	fgaStarted = true
	return server
})

var fgaStarted bool

func stopFGA() {
	if fgaStarted {
		Expect(fga().Stop()).To(Succeed())
	}
}

// aModel has the relations admin and viewer of organizations to users; an admin is a viewer, too.
const aModel = `{"schema_version": "1.1", "type_definitions": [
	{"type": "user"},
	{"type": "organization",
		"relations": {"admin": {"this": {}}, "viewer": {"union": {"child": [{"this": {}}, {"computedUserset": {"relation": "admin"}}]}}},
		"metadata": {"relations": {
			"admin": {"directly_related_user_types": [{"type": "user"}]},
			"viewer": {"directly_related_user_types": [{"type": "user"}, {"type": "user", "wildcard": {}}]}
		}}}
]}`

// front stands between the operator and a server.
type front struct {
	url     string
	server  atomic.Pointer[openfga.Server]
	failing atomic.Bool
	writes  atomic.Int64
	// refuses is what no call may have in it, as if OpenFGA found fault with it.
	refuses atomic.Value
	// meet is called with each call that writes and the function that passes it on, and says whether it has seen to the call.
	meet atomic.Pointer[func(pass func()) bool]
}

// frontOf fails by taking calls and giving no answer.
func frontOf(server *openfga.Server) *front {
	f := &front{}
	f.server.Store(server)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		to, _ := url.Parse(f.server.Load().URL)
		r.SetURL(to)
	}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.failing.Load() {
			panic(http.ErrAbortHandler)
		}
		writes := strings.HasSuffix(r.URL.Path, "/write")
		if writes {
			f.writes.Add(1)
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if word, _ := f.refuses.Load().(string); word != "" && bytes.Contains(body, []byte(word)) {
			http.Error(w, `{"code":"validation_error","message":`+strconv.Quote(word)+`}`, http.StatusBadRequest)
			return
		}
		pass := func() { proxy.ServeHTTP(w, r) }
		if meet := f.meet.Load(); !writes || meet == nil || !(*meet)(pass) {
			pass()
		}
	}))
	DeferCleanup(s.Close)
	f.url = s.URL
	return f
}

// fgaStore is a store as the specs see it.
type fgaStore struct {
	*openfga.Server
	*front
	ctx context.Context
	id  string
}

func newFGAStore(w *world, server *openfga.Server) *fgaStore {
	GinkgoHelper()
	id, err := server.CreateStore(w.ctx, w.ns)
	Expect(err).NotTo(HaveOccurred())
	s := &fgaStore{server, frontOf(server), w.ctx, id}
	s.model(aModel)
	return s
}

// model makes a model the store's latest, and returns its id.
func (s *fgaStore) model(model string) string {
	GinkgoHelper()
	id, err := s.WriteModel(s.ctx, s.id, []byte(model))
	Expect(err).NotTo(HaveOccurred())
	return id
}

// spec is that of a target by which the roles admin and viewer are the relations of that name to an organization.
func (s *fgaStore) spec() v1alpha1.AppTargetSpec {
	return v1alpha1.AppTargetSpec{OpenFGA: &v1alpha1.OpenFGATarget{
		URL: s.url, StoreID: s.id,
		Tuples: []v1alpha1.OpenFGATuple{
			{Role: "admin", Relation: "admin", Object: "organization:acme"},
			{Role: "viewer", Relation: "viewer", Object: "organization:acme"},
		},
	}}
}

func tupleFor(name, relation string) openfga.Tuple {
	return openfga.Tuple{User: "user:" + mail(name), Relation: relation, Object: "organization:acme"}
}

// inWords is a tuple in the words of the specs.
func inWords(t openfga.Tuple) string {
	return strings.TrimSuffix(strings.TrimPrefix(t.User, "user:"), "@example.com") + " " + t.Relation
}

func (s *fgaStore) held() []string {
	GinkgoHelper()
	tuples, err := s.Read(s.ctx, s.id, openfga.Tuple{})
	Expect(err).NotTo(HaveOccurred())
	all := make([]string, 0, len(tuples))
	for _, t := range tuples {
		all = append(all, inWords(t))
	}
	slices.Sort(all)
	return all
}

func (s *fgaStore) log() []string {
	GinkgoHelper()
	changes, err := s.Changes(s.ctx, s.id)
	Expect(err).NotTo(HaveOccurred())
	lines := make([]string, 0, len(changes))
	for _, c := range changes {
		sign := "+"
		if c.Deleted {
			sign = "-"
		}
		lines = append(lines, sign+inWords(c.Tuple))
	}
	return lines
}

// grant and revoke are what others do.
func (s *fgaStore) grant(name, relation string) {
	GinkgoHelper()
	Expect(s.Write(s.ctx, s.id, tupleFor(name, relation))).To(Succeed())
}

func (s *fgaStore) revoke(name, relation string) {
	GinkgoHelper()
	Expect(s.Delete(s.ctx, s.id, tupleFor(name, relation))).To(Succeed())
}

func (s *fgaStore) allows(name, relation string) func() bool {
	return func() bool {
		GinkgoHelper()
		allowed, err := s.Check(s.ctx, s.id, "user:"+mail(name), relation, "organization:acme")
		Expect(err).NotTo(HaveOccurred())
		return allowed
	}
}

func openFGA(w *world) *fixture {
	GinkgoHelper()
	s := newFGAStore(w, fga())
	return &fixture{
		spec: s.spec(), held: s.held, log: s.log, writes: func() int { return int(s.writes.Load()) },
		grant: s.grant, revoke: s.revoke, shared: true,
		fail: func() { s.failing.Store(true) }, mend: func() { s.failing.Store(false) }, failure: v1alpha1.ReasonTargetUnreachable,
	}
}

var _ = Describe("A openFGA target", func() {
	var w *world
	var s *fgaStore
	BeforeEach(func() {
		w = newWorld()
		w.roles("admin", "viewer")
		s = newFGAStore(w, fga())
	})
	holds := func(list ...string) {
		GinkgoHelper()
		Eventually(s.held).Should(Equal(grants(list...)))
	}
	onRecord := func() (subjects []string) {
		GinkgoHelper()
		var pages v1alpha1.AppTargetLedgerList
		Expect(k8s.List(w.ctx, &pages, client.InNamespace(w.ns))).To(Succeed())
		for _, p := range pages.Items {
			for _, e := range p.Spec.Entries {
				subjects = append(subjects, e.Subject)
			}
		}
		return subjects
	}

	It("decides what OpenFGA answers to an application", func() {
		w.member("ada", "admin")
		w.member("bob", "viewer")
		w.target(s.spec())
		Eventually(s.allows("ada", "viewer")).Should(BeTrue())
		Eventually(s.allows("bob", "viewer")).Should(BeTrue())
		Expect(s.allows("bob", "admin")()).To(BeFalse())
		w.setActive("ada", false)
		Eventually(s.allows("ada", "viewer")).Should(BeFalse())
		Expect(s.allows("bob", "viewer")()).To(BeTrue())
	})

	It("sends its token, and says when it is refused", func() {
		server, err := openfga.Start(w.ctx, openfga.Options{Token: "right"})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(server.Stop)
		s = newFGAStore(w, server)
		w.member("ada", "admin")
		w.target(s.spec())
		w.eventuallyReady("False InvalidSpec: " + s.url + " wants a token (401): name the Secret")
		w.secret("openfga", map[string]string{"token": "wrong"})
		w.changeTarget(func(t *v1alpha1.AppTargetSpec) {
			t.OpenFGA.Credentials = &v1alpha1.TargetSecretReference{Name: "openfga"}
		})
		w.eventuallyReady("False InvalidSpec: " + s.url + ` refuses the token of Secret "openfga" (401)`)
		change(w, "openfga", func(o *corev1.Secret) { o.Data["token"] = []byte("right\n") })
		holds("ada admin")
		w.eventuallyReady("True InSync")
		change(w, "openfga", func(o *corev1.Secret) { o.Data["token"] = []byte("wrong") })
		w.eventuallyReady("False InvalidSpec: " + s.url + ` refuses the token`)
	})

	It("does not take a store that is gone for an empty one", func() {
		w.member("ada", "admin")
		w.member("bob", "admin")
		w.target(s.spec())
		holds("ada admin", "bob admin")
		empty, err := openfga.Start(w.ctx, openfga.Options{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(empty.Stop)
		s.server.Store(empty)
		w.setActive("ada", false)
		w.eventuallyReady("False InvalidSpec: there is no store " + s.id + " at " + s.url)
		Expect(onRecord()).To(ConsistOf("user:ada@example.com", "user:bob@example.com"))
		s.server.Store(fga())
		holds("bob admin")
		w.eventuallyReady("True InSync")
		Expect(onRecord()).To(ConsistOf("user:bob@example.com"))
	})

	It("says what the model does not have, and takes access back all the same", func() {
		w.member("ada", "admin", "viewer")
		w.member("bob", "admin")
		w.target(s.spec())
		holds("ada admin", "ada viewer", "bob admin")
		s.model(strings.ReplaceAll(aModel, `"admin"`, `"owner"`))
		w.eventuallyReady(`False InvalidSpec: tuples: the model's type "organization" has no relation "admin": it has owner, viewer`)
		w.member("eve", "admin", "viewer")
		holds("ada admin", "ada viewer", "bob admin", "eve viewer")
		w.setActive("ada", false)
		holds("bob admin", "eve viewer")

		By("relations that people cannot have directly")
		s.model(strings.ReplaceAll(aModel, `[{"type": "user"}]`, `[{"type": "user", "wildcard": {}}, {"type": "organization", "relation": "viewer"}]`))
		w.eventuallyReady(`False InvalidSpec: tuples: the relation "admin" of the model's type "organization" takes no "user" directly: ` +
			"it takes organization#viewer, user:*")

		By("a type that is missing")
		w.changeTarget(func(t *v1alpha1.AppTargetSpec) { t.OpenFGA.Tuples[1].Object = "folder:top" })
		w.eventuallyReady(`False InvalidSpec: tuples: the model has no type "folder": it has organization, user`)
		holds("bob admin")
		w.changeTarget(func(t *v1alpha1.AppTargetSpec) { t.OpenFGA = s.spec().OpenFGA })

		By("a certain model that is missing")
		w.changeTarget(func(t *v1alpha1.AppTargetSpec) { t.OpenFGA.AuthorizationModelID = strings.Repeat("0", 26) })
		w.eventuallyReady("False InvalidSpec: tuples: the store has no authorization model 00000000000000000000000000")
		right := s.model(aModel)
		s.model(strings.ReplaceAll(aModel, `"admin"`, `"owner"`))
		w.changeTarget(func(t *v1alpha1.AppTargetSpec) { t.OpenFGA.AuthorizationModelID = right })
		holds("bob admin", "eve admin", "eve viewer")
		w.eventuallyReady("True InSync")
	})

	It("can be deleted while the model lacks its relations", func() {
		w.member("ada", "admin")
		w.target(s.spec())
		holds("ada admin")
		s.model(strings.ReplaceAll(aModel, `"admin"`, `"owner"`))
		w.eventuallyReady("False InvalidSpec")
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
		Eventually(w.ready).Should(Equal("gone"))
		Expect(s.held()).To(BeEmpty())
	})

	It("leaves out those whose names would mean more to OpenFGA than themselves", func() {
		const odd = `"Ada,_O'Neil"@{{.x}}/%2e\\$*ü`
		hostile := []string{"*", "a b", "a\u00a0b", "a\tb", "a\nb", "a\x00b", "a\u202eb", "x#y", "group:g#member", "user:z", "a:b",
			strings.Repeat("ä", 254)}
		for i, name := range hostile {
			m := &v1alpha1.AppMembership{}
			m.Name = fmt.Sprintf("p%d", i)
			m.Spec.User = v1alpha1.MemberIdentity{UserName: name}
			m.Spec.Active, m.Spec.Roles = true, []string{"viewer"}
			w.create(m)
		}
		w.member("ada", "viewer")
		change(w, "ada", func(m *v1alpha1.AppMembership) { m.Spec.User.UserName = odd })
		w.target(s.spec())
		w.eventuallyReady(fmt.Sprintf("True InSync: every grant is as it should be; %d people with a role are left out", len(hostile)))
		Expect(s.Read(w.ctx, s.id, openfga.Tuple{})).To(ConsistOf(
			openfga.Tuple{User: "user:" + odd, Relation: "viewer", Object: "organization:acme"}))
		Expect(s.allows("anybody", "viewer")()).To(BeFalse())
	})

	It("lets one tuple that is refused keep no others waiting", func() {
		var others []string
		for i := range 9 {
			name := fmt.Sprintf("p%d", i)
			others = append(others, name+" viewer")
			w.member(name, "viewer")
		}
		w.member("mallory", "viewer")
		s.refuses.Store("mallory")
		w.target(s.spec())
		w.eventuallyReady("False TargetRefused: OpenFGA refuses to write a tuple of organization:acme#viewer: validation_error")
		Expect(s.held()).To(Equal(grants(others...)))
		Expect(onRecord()).To(And(HaveLen(9), Not(ContainElement(ContainSubstring("mallory")))))
		w.setActive("p3", false)
		holds(slices.Delete(others, 3, 4)...)
		s.refuses.Store("")
		Eventually(s.held).Should(ContainElement("mallory viewer"))
		w.eventuallyReady("True InSync")

		By("a relation that OpenFGA does not read")
		s.refuses.Store(`"relation":"admin"`)
		w.eventuallyReady("False TargetRefused: OpenFGA refuses to read who has organization:acme#admin: validation_error")
		w.setActive("mallory", false)
		Eventually(s.held).ShouldNot(ContainElement("mallory viewer"))
	})

	// crash kills the operator at a write that the cause leads to, after so many others, before it arrives or before its answer.
	crash := func(others int32, arrives bool, cause func()) {
		GinkgoHelper()
		reached, dead := make(chan struct{}), make(chan struct{})
		var met atomic.Int32
		meet := func(pass func()) bool {
			if met.Add(1) != others+1 {
				return false
			}
			if arrives {
				pass()
			}
			close(reached)
			<-dead
			panic(http.ErrAbortHandler)
		}
		s.meet.Store(&meet)
		cause()
		Eventually(reached).Should(BeClosed())
		running.Kill()
		s.meet.Store(nil)
		close(dead)
	}
	const unwritten, unanswered = false, true
	remove := func() {
		GinkgoHelper()
		Expect(k8s.Delete(w.ctx, get[v1alpha1.AppTarget](w, "target"))).To(Succeed())
	}

	It("knows what is its own after it was killed between the record and the write, or before the answer", func() {
		s.grant("mallory", "viewer")
		w.member("ada", "admin")
		w.member("bob", "viewer")
		w.target(s.spec())
		holds("ada admin", "bob viewer", "mallory viewer")

		By("dying before the write arrives, and the person leaving meanwhile")
		crash(0, unwritten, func() { w.member("eve", "admin") })
		Expect(s.held()).To(Equal(grants("ada admin", "bob viewer", "mallory viewer")))
		Expect(onRecord()).To(ContainElement("user:eve@example.com"))
		w.setActive("eve", false)
		running.Start()
		Eventually(onRecord).ShouldNot(ContainElement("user:eve@example.com"))
		w.eventuallyReady("True InSync")
		Expect(s.held()).To(Equal(grants("ada admin", "bob viewer", "mallory viewer")))

		By("dying after the write has arrived")
		crash(0, unanswered, func() { w.member("joe", "admin") })
		Expect(s.held()).To(ContainElement("joe admin"))
		w.setActive("joe", false)
		running.Start()
		holds("ada admin", "bob viewer", "mallory viewer")

		By("dying after the deletion has arrived")
		crash(0, unanswered, func() { w.setActive("bob", false) })
		running.Start()
		holds("ada admin", "mallory viewer")
		Eventually(onRecord).Should(ConsistOf("user:ada@example.com"))

		By("dying while the target ends")
		crash(0, unwritten, remove)
		running.Start()
		Eventually(w.ready).Should(Equal("gone"))
		Expect(s.held()).To(Equal(grants("mallory viewer")))
		Expect(onRecord()).To(BeEmpty())
	})

	It("loses nobody and leaves nobody when it is killed in the middle of a large push", func() {
		s.grant("mallory", "viewer")
		var all []string
		for i := range 450 {
			name := fmt.Sprintf("p%03d", i)
			all = append(all, name+" viewer")
			w.member(name, "viewer")
		}
		crash(1, unwritten, func() { w.target(s.spec()) })
		crash(0, unanswered, running.Start)
		crash(1, unwritten, running.Start)
		Expect(len(s.held())).To(And(BeNumerically(">", 200), BeNumerically("<", 450)))
		running.Start()
		holds(append(all, "mallory viewer")...)

		crash(1, unanswered, remove)
		crash(0, unwritten, running.Start)
		crash(1, unanswered, running.Start)
		Expect(len(s.held())).To(And(BeNumerically(">", 1), BeNumerically("<", 300)))
		running.Start()
		Eventually(w.ready).Should(Equal("gone"))
		Expect(s.held()).To(Equal(grants("mallory viewer")))
	})

	It("takes back what it gave by tuples that its spec names no longer", func() {
		w.member("ada", "admin", "viewer")
		w.target(s.spec())
		holds("ada admin", "ada viewer")
		w.changeTarget(func(t *v1alpha1.AppTargetSpec) { t.OpenFGA.Tuples = t.OpenFGA.Tuples[1:] })
		holds("ada viewer")
		w.eventuallyReady("True InSync")
	})

	It("leaves to others what they write while it does", func() {
		w.member("bob", "admin")
		w.target(s.spec())
		holds("bob admin")
		faster := sync.OnceFunc(func() { s.grant("ada", "admin") })
		meet := func(func()) bool { // as if the tuple had been written after the last look
			faster()
			return false
		}
		s.meet.Store(&meet)
		w.member("ada", "admin")
		w.member("eve", "admin")
		holds("ada admin", "bob admin", "eve admin")
		Eventually(func() int32 { return w.status().Foreign }).Should(BeEquivalentTo(1))
		Expect(onRecord()).To(ConsistOf("user:bob@example.com", "user:eve@example.com"))
		w.setActive("ada", false)
		Eventually(func() int32 { return w.status().Foreign }).Should(BeZero())
		Consistently(s.held).Should(ContainElement("ada admin"))
	})
})
