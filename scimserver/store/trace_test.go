package store

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("A traced write", func() {
	It("tells of the conflict that it met, and is marked until the next one", func(ctx context.Context) {
		s, namespace := replica(), newNamespace(ctx)
		d := s.Directory(namespace, "okta")
		u, err := d.CreateUser(ctx, person("ada"))
		Expect(err).NotTo(HaveOccurred())
		stored := func() *v1alpha1.ScimUser {
			GinkgoHelper()
			obj := &v1alpha1.ScimUser{}
			Expect(admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: u.ID}, obj)).To(Succeed())
			return obj
		}
		Expect(stored().Annotations).NotTo(HaveKey(v1alpha1.TraceparentAnnotation))

		spans := tracetest.NewSpanRecorder()
		tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("request")
		inTrace, request := tracer.Start(ctx, "request")
		s.now = onceBefore(s.now, func() {
			rival := stored()
			rival.Spec.Title = "Countess"
			Expect(admin.Update(ctx, rival)).To(Succeed())
		})
		_, err = d.UpdateUser(inTrace, u.ID, changed(func(a *v1alpha1.UserAttributes) { a.NickName = "Ada" }))
		Expect(err).NotTo(HaveOccurred())
		events := map[string][]string{}
		for _, span := range spans.Ended() {
			for _, e := range span.Events() {
				events[span.Name()] = append(events[span.Name()], e.Name)
			}
		}
		Expect(events).To(Equal(map[string][]string{"update User": {eventConflict}}))
		trace := request.SpanContext().TraceID().String()
		Expect(stored().Annotations).To(HaveKeyWithValue(v1alpha1.TraceparentAnnotation, HavePrefix("00-"+trace+"-")))

		_, err = d.UpdateUser(ctx, u.ID, changed(func(a *v1alpha1.UserAttributes) { a.NickName = "" }))
		Expect(err).NotTo(HaveOccurred())
		Expect(stored().Annotations).NotTo(HaveKey(v1alpha1.TraceparentAnnotation))
	})
})
