package openfga

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	. "github.com/onsi/gomega"
)

const model = `{"schema_version": "1.1", "type_definitions": [
	{"type": "user"},
	{"type": "group",
		"relations": {"member": {"this": {}}},
		"metadata": {"relations": {"member": {"directly_related_user_types": [{"type": "user"}]}}}},
	{"type": "document",
		"relations": {"viewer": {"this": {}}},
		"metadata": {"relations": {"viewer": {"directly_related_user_types": [{"type": "group", "relation": "member"}]}}}}
]}`

func start(t *testing.T, options Options) *Server {
	t.Helper()
	options.Progress = os.Stderr
	server, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func TestServerDecidesByModelAndTuples(t *testing.T) {
	g := NewWithT(t)
	server := start(t, Options{Token: "secret"})
	store, err := server.CreateStore(t.Context(), "acme")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(server.WriteModel(t.Context(), store, []byte(model))).NotTo(BeEmpty())

	anne := Tuple{User: "user:anne", Relation: "member", Object: "group:engineering"}
	engineering := Tuple{User: "group:engineering#member", Relation: "viewer", Object: "document:plan"}
	for range 2 {
		g.Expect(server.Write(t.Context(), store, anne, engineering)).To(Succeed())
	}
	g.Expect(server.Check(t.Context(), store, "user:anne", "viewer", "document:plan")).To(BeTrue())
	g.Expect(server.Check(t.Context(), store, "user:bob", "viewer", "document:plan")).To(BeFalse())
	g.Expect(server.Read(t.Context(), store, Tuple{})).To(ConsistOf(anne, engineering))
	g.Expect(server.Read(t.Context(), store, Tuple{User: "user:anne", Object: "group:"})).To(ConsistOf(anne))
	for range 2 {
		g.Expect(server.Delete(t.Context(), store, anne)).To(Succeed())
	}
	g.Expect(server.Check(t.Context(), store, "user:anne", "viewer", "document:plan")).To(BeFalse())

	g.Expect(server.Changes(t.Context(), store)).To(Equal([]Change{{anne, false}, {engineering, false}, {anne, true}}))

	err = server.Write(t.Context(), store, Tuple{User: "user:anne", Relation: "owner", Object: "group:engineering"})
	var refusal *Error
	g.Expect(errors.As(err, &refusal)).To(BeTrue(), "got %v", err)
	g.Expect(refusal.Status).To(Equal(http.StatusBadRequest))
	g.Expect(refusal.Code).To(Equal("validation_error"))

	stranger := &Server{URL: server.URL, token: "guessed"}
	_, err = stranger.CreateStore(t.Context(), "acme")
	g.Expect(errors.As(err, &refusal)).To(BeTrue(), "got %v", err)
	g.Expect(refusal.Status).To(Equal(http.StatusUnauthorized))
}

func TestMoreTuplesThanOneCallTakes(t *testing.T) {
	g := NewWithT(t)
	server := start(t, Options{})
	store, err := server.CreateStore(t.Context(), "acme")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(server.WriteModel(t.Context(), store, []byte(model))).NotTo(BeEmpty())
	var members []Tuple
	for i := range 2*maxWrites + 1 {
		members = append(members, Tuple{User: fmt.Sprintf("user:%d", i), Relation: "member", Object: "group:all"})
	}
	g.Expect(server.Write(t.Context(), store, members...)).To(Succeed())
	g.Expect(server.Read(t.Context(), store, Tuple{Object: "group:all"})).To(ConsistOf(members))
	g.Expect(server.Delete(t.Context(), store, members...)).To(Succeed())
	g.Expect(server.Read(t.Context(), store, Tuple{})).To(BeEmpty())
}

func TestOutages(t *testing.T) {
	g := NewWithT(t)
	server := start(t, Options{})
	g.Expect(server.Pause()).To(Succeed())
	soon, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := server.CreateStore(soon, "acme")
	g.Expect(err).To(MatchError(context.DeadlineExceeded))
	g.Expect(server.Resume()).To(Succeed())
	_, err = server.CreateStore(t.Context(), "acme")
	g.Expect(err).NotTo(HaveOccurred())

	_, err = Start(t.Context(), Options{Address: server.Address})
	g.Expect(err).To(MatchError(ContainSubstring("address already in use")))

	g.Expect(server.Pause()).To(Succeed())
	g.Expect(server.Stop()).To(Succeed())
	g.Expect(server.dir).NotTo(BeADirectory())
	_, err = server.CreateStore(t.Context(), "acme")
	g.Expect(err).To(MatchError(ContainSubstring("connection refused")))
	again := start(t, Options{Address: server.Address})
	g.Expect(again.URL).To(Equal(server.URL))
	_, err = again.CreateStore(t.Context(), "acme")
	g.Expect(err).NotTo(HaveOccurred())
}
