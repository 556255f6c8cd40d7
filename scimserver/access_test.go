package scimserver_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

var _ = Describe("Access", func() {
	It("is given to a token in every form that people paste", func(ctx SpecContext) {
		t := newTenant(ctx)
		for _, form := range []string{"Bearer %s", "bearer %s", "BEARER %s", "Bearer Bearer %s", "%s"} {
			a := t.get("/Users", "Authorization", fmt.Sprintf(form, t.token))
			Expect(a.status).To(Equal(http.StatusOK), form)
		}
	})

	It("is given with and without the directory in the path, in any case and with a slash at the end", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.addUser("ada")
		for _, path := range []string{
			"/scim/v2/Users/" + id, "/scim/v2/users/" + id, "/scim/v2/Users/" + id + "/",
			"/scim/v2/" + t.namespace + "/okta/Users/" + id, "/scim/v2/" + t.namespace + "/okta//users/" + id,
		} {
			a := t.send(http.MethodGet, t.url+path, nil)
			Expect(a.status).To(Equal(http.StatusOK), path)
			Expect(a.body["meta"]).To(HaveKeyWithValue("location", externalURL+"/scim/v2/"+t.namespace+"/okta/Users/"+id))
		}
	})

	It("is refused without telling why: unknown, expired, another directory's, a directory that does not exist", func(ctx SpecContext) {
		expired := newTenant(ctx)
		other := newTenant(ctx)
		good := newTenant(ctx)
		directory := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Namespace: expired.namespace, Name: "okta"}}
		Expect(cluster.Get(ctx, client.ObjectKeyFromObject(directory), directory)).To(Succeed())
		directory.Spec.Tokens[0].ExpirationTime = &metav1.Time{Time: time.Now().Add(-time.Minute)}
		Expect(cluster.Update(ctx, directory)).To(Succeed())
		Eventually(func() int { return expired.get("/Users").status }).WithTimeout(10 * time.Second).Should(Equal(http.StatusUnauthorized))

		users := good.base() + "/Users"
		refused := map[string]*answer{
			"no token":            good.send(http.MethodGet, users, nil, "Authorization", ""),
			"unknown":             good.send(http.MethodGet, users, nil, "Authorization", "Bearer "+uuid.NewString()),
			"of another scheme":   good.send(http.MethodGet, users, nil, "Authorization", "Basic eDp5"),
			"expired":             expired.get("/Users"),
			"another directory's": other.send(http.MethodGet, users, nil),
			"no directory":        other.send(http.MethodGet, good.url+"/scim/v2/nowhere/okta/Users", nil),
			"no endpoint":         other.send(http.MethodGet, good.base()+"/Nothing", nil),
			"another's own path":  other.send(http.MethodPost, users, `{"userName":"x"}`),
			"short form, unknown": good.send(http.MethodGet, good.url+"/scim/v2/Users", nil, "Authorization", "x"),
		}
		for why, a := range refused {
			Expect(a.status).To(Equal(http.StatusUnauthorized), why)
			Expect(a.text).To(Equal(refused["no token"].text), why)
			Expect(a.header.Get("WWW-Authenticate")).To(Equal("Bearer"), why)
			Expect(a.body).To(HaveKeyWithValue("status", "401"), why)
			Expect(a.body).To(HaveKeyWithValue("schemas", ConsistOf("urn:ietf:params:scim:api:messages:2.0:Error")), why)
		}
		Expect(good.stored(ctx)).To(BeEmpty())
	})

	It("ends with the Secret or the entry of the token", func(ctx SpecContext) {
		t := newTenant(ctx)
		directory := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: "okta"}}
		Expect(cluster.Get(ctx, client.ObjectKeyFromObject(directory), directory)).To(Succeed())
		directory.Spec.Tokens = nil
		Expect(cluster.Update(ctx, directory)).To(Succeed())
		Eventually(func() int { return t.get("/Users").status }).WithTimeout(10 * time.Second).Should(Equal(http.StatusUnauthorized))
	})

	DescribeTable("is limited to the scopes of the token",
		func(ctx SpecContext, scopes []v1alpha1.TokenScope, read, write int) {
			t := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Tokens[0].Scopes = scopes })
			Expect(t.get("/Users").status).To(Equal(read))
			Expect(t.call(http.MethodPost, "/Users", `{"userName":"x"}`).status).To(Equal(write))
			if write == http.StatusForbidden {
				Expect(t.stored(ctx)).To(BeEmpty())
			}
		},
		Entry("Read", []v1alpha1.TokenScope{v1alpha1.ScopeRead}, 200, 403),
		Entry("Write", []v1alpha1.TokenScope{v1alpha1.ScopeWrite}, 403, 201),
		Entry("none", []v1alpha1.TokenScope{}, 403, 403),
	)

	It("waits while the directory is suspended", func(ctx SpecContext) {
		t := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Suspended = true })
		for _, a := range []*answer{t.get("/Users"), t.call(http.MethodPost, "/Users", `{"userName":"x"}`)} {
			Expect(a.status).To(Equal(http.StatusServiceUnavailable))
			Expect(a.header.Get("Retry-After")).To(Equal("60"))
		}
		Expect(t.stored(ctx)).To(BeEmpty())
	})

	It("is throttled per token", func(ctx SpecContext) {
		t, other := newTenant(ctx), newTenant(ctx)
		slow := serve(storage, scimserver.Options{RequestsPerSecond: 0.1})
		t.url, other.url = slow.URL, slow.URL
		Expect(t.get("/Users").status).To(Equal(http.StatusOK))
		a := t.get("/Users")
		Expect(a.status).To(Equal(http.StatusTooManyRequests))
		Expect(a.header.Get("Retry-After")).To(MatchRegexp(`^([1-9]|10)$`))
		Expect(other.get("/Users").status).To(Equal(http.StatusOK))
	})

	It("is throttled for whoever guesses tokens, and for nobody else", func(ctx SpecContext) {
		t := newTenant(ctx)
		guesser := tenant{token: "guess", url: serve(storage, scimserver.Options{}).URL}
		Eventually(func() int { return guesser.send(http.MethodGet, guesser.url+"/scim/v2/Users", nil).status }).
			WithTimeout(20 * time.Second).WithPolling(time.Microsecond).Should(Equal(http.StatusTooManyRequests))
		t.url = guesser.url
		Expect(t.get("/Users").status).To(Equal(http.StatusOK))
	})

	It("waits until the server knows everything that is stored", func(ctx SpecContext) {
		t := newTenant(ctx)
		notStarted, err := store.New(config, store.Options{MaxStaleness: time.Minute, Log: logr.Discard()})
		Expect(err).NotTo(HaveOccurred())
		t.url = serve(notStarted, scimserver.Options{}).URL
		for _, a := range []*answer{t.get("/Users"), t.get("/Users", "Authorization", "unknown"), t.call(http.MethodPost, "/Users", `{"userName":"x"}`)} {
			Expect(a.status).To(Equal(http.StatusServiceUnavailable), a.String())
			Expect(a.header.Get("Retry-After")).To(MatchRegexp(`^\d+$`))
			Expect(a.body).To(HaveKeyWithValue("detail", ContainSubstring(a.header.Get("X-Request-Id"))))
		}
		Expect(t.stored(ctx)).To(BeEmpty())
	})

	It("leaves a line in the request log that holds ids and no values", func(ctx SpecContext) {
		log := gbytes.NewBuffer()
		t := newTenant(ctx)
		t.url = serve(storage, scimserver.Options{Log: slog.New(slog.NewJSONHandler(log, nil))}).URL
		a := t.call(http.MethodPost, "/Users", `{"userName":"secret.name","password":"secret.word"}`, "X-Request-Id", "r-1")
		Expect(a.header.Get("X-Request-Id")).To(Equal("r-1"))
		t.call(http.MethodPost, "/Users", `{"userName":{"secret":1}}`)
		t.get(`/Users?filter=userName+eq+"secret.name`)
		t.get(`/Users/secret.name`)
		Eventually(func() int { return bytes.Count(log.Contents(), []byte("\n")) }).Should(Equal(4))
		Expect(string(log.Contents())).To(SatisfyAll(
			ContainSubstring(`"request":"r-1"`), ContainSubstring(`"directory":"okta"`), ContainSubstring(`"token":"okta"`),
			ContainSubstring(`"route":"Users/{id}"`), ContainSubstring(`"status":201`), ContainSubstring(`"resource":"`+a.id()+`"`),
			ContainSubstring(`"scimType":"invalidFilter"`),
			Not(ContainSubstring("secret")), Not(ContainSubstring(t.token)),
		))
	})
})

var _ = Describe("A directory", func() {
	It("shows nothing of itself to another directory's token, on any route", func(ctx SpecContext) {
		mine := newTenant(ctx)
		// The neighbor shares the namespace: only the directory tells the two apart.
		neighbor := newDirectory(ctx, mine.namespace, "entra")
		user := mine.addUser("ada")
		group := mine.addGroup("Engineers", user)
		before := mine.stored(ctx)

		for _, foreign := range []*tenant{neighbor, newTenant(ctx)} {
			own := foreign.addGroup("Own " + foreign.namespace)
			if foreign == neighbor {
				before = mine.stored(ctx)
			}
			for _, base := range []string{foreign.base(), foreign.url + "/scim/v2"} {
				for _, path := range []string{"/Users/" + user, "/Groups/" + group} {
					for method, body := range map[string]any{
						http.MethodGet:    nil,
						http.MethodPut:    `{"userName":"eve","displayName":"Eve"}`,
						http.MethodPatch:  `{"Operations":[{"op":"replace","path":"displayName","value":"Eve"}]}`,
						http.MethodDelete: nil,
					} {
						a := foreign.send(method, base+path, body)
						Expect(a.status).To(Equal(http.StatusNotFound), "%s %s: %s", method, path, a)
						unknown := foreign.send(method, base+path[:len(path)-36]+uuid.NewString(), body)
						Expect(a.text).To(Equal(unknown.text))
					}
				}
				for _, path := range []string{
					"/Users", `/Users?filter=userName+eq+"ada"`, `/Users?filter=id+eq+"` + user + `"`, `/Users?filter=groups+pr`,
					`/Groups?filter=displayName+eq+"Engineers"`, `/Groups?filter=id+eq+"` + group + `"`,
					`/Groups?filter=members+eq+"` + user + `"`, `/Groups?filter=members+pr`,
				} {
					a := foreign.send(http.MethodGet, base+path, nil)
					Expect(a.status).To(Equal(http.StatusOK), path)
					Expect(a.body["totalResults"]).To(BeEquivalentTo("0"), "%s: %s", path, a)
				}
			}
			a := foreign.patch("/Groups/"+own, `{"op":"add","path":"members","value":[{"value":"`+user+`"}]}`)
			Expect(a.status).To(Equal(http.StatusBadRequest), "a member of another directory")
			Expect(a.scimType()).To(Equal("invalidValue"))
			a = foreign.call(http.MethodPost, "/Groups", map[string]any{"displayName": "G", "members": []any{map[string]any{"value": group}}})
			Expect(a.scimType()).To(Equal("invalidValue"))
		}
		for _, path := range []string{
			"/Users", "/Users/" + user, "/Groups", "/Groups/" + group, "/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/Me", "/Bulk", "/.search", "",
		} {
			Expect(neighbor.send(http.MethodGet, mine.base()+path, nil).status).To(Equal(http.StatusUnauthorized), path)
		}
		Expect(mine.stored(ctx)).To(Equal(before))
	})
})
