package scimserver_test

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/scimserver"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

var _ = Describe("A group's version in If-Match", func() {
	It("lets one of several changes of members pass that were meant for the same version, by PATCH and by PUT", func(ctx SpecContext) {
		t := newTenant(ctx)
		ids := make([]string, 6)
		for i := range ids {
			ids[i] = t.addUser(fmt.Sprint("u", i))
		}
		replica, err := store.New(config, store.Options{MaxStaleness: time.Minute, Log: logr.Discard()})
		Expect(err).NotTo(HaveOccurred())
		start(replica)
		other := serve(replica, scimserver.Options{}).URL
		for round, form := range []string{http.MethodPatch, http.MethodPut, http.MethodPatch, http.MethodPut} {
			group := t.addGroup(fmt.Sprint("G", round), ids[0])
			version := t.get("/Groups/" + group).header.Get("ETag")
			var mu sync.Mutex
			passed := []string{}
			var calls sync.WaitGroup
			for i, id := range ids[1:] {
				calls.Go(func() {
					defer GinkgoRecover()
					at := *t
					if i%2 == 0 {
						at.url = other
					}
					body := `{"Operations":[{"op":"add","path":"members","value":[{"value":"` + id + `"}]}]}`
					if form == http.MethodPut {
						body = `{"displayName":"G` + fmt.Sprint(round) + `","members":[{"value":"` + id + `"},{"value":"` + ids[0] + `"}]}`
					}
					a := at.call(form, "/Groups/"+group, body, "If-Match", version)
					if a.status == http.StatusPreconditionFailed {
						return
					}
					Expect(a.status).To(BeNumerically("<", 300), a.String())
					mu.Lock()
					defer mu.Unlock()
					passed = append(passed, id)
				})
			}
			calls.Wait()
			Expect(passed).To(HaveLen(1), form)
			Eventually(func() []string { return t.members(group) }).Should(ConsistOf(ids[0], passed[0]))
		}
	})
})
