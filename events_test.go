package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestPacedEvents(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	recorder := events.NewFakeRecorder(maxQueuedEvents)
	logged := make(chan string, 1)
	paced := newPacedEvents(recorder, funcr.New(func(_, line string) { logged <- line }, funcr.Options{}))
	for i := range maxQueuedEvents + 7 {
		paced.Eventf(&v1alpha1.ScimUser{}, nil, corev1.EventTypeNormal, v1alpha1.EventRoleGranted, "Grant", "role %d", i)
	}
	began := time.Now()
	go func() { _ = paced.Start(ctx) }()
	const later = 5
	for i := range eventsAtOnce + later {
		if got, want := <-recorder.Events, fmt.Sprintf("Normal RoleGranted role %d", i); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	if took := time.Since(began); took < (later-1)*time.Second/eventsPerSecond {
		t.Errorf("%d events took %s", eventsAtOnce+later, took)
	}
	if line := <-logged; line != `"level"=0 "msg"="There were more changes than events are written for; the audit log has all of them" "left out"=7` {
		t.Error(line)
	}
}
