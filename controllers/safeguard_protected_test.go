package controllers

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func anAdmin(name string) *v1alpha1.AppMembership {
	m := aMember(name, "okta")
	m.Namespace, m.Spec.UserRef.Name, m.Spec.Active, m.Spec.Roles = "ns", name, true, []string{"admin"}
	return m
}

// seeing is a gate whose cache shows some objects, and the API server others; the role admin is protected.
func seeing(cached, live []client.Object) *gate {
	admin := &v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "admin"}}
	admin.Spec.Protected = true
	k := reading(append(cached, admin)...)
	k.live, k.clock = reading(live...), clock.RealClock{}
	return newGate(k)
}

// TestLastHolderIsConfirmed: what the cache shows is not proof that somebody else has the role.
func TestLastHolderIsConfirmed(t *testing.T) {
	inactive, roleless, other := anAdmin("bob"), anAdmin("bob"), anAdmin("bob")
	inactive.Spec.Active, roleless.Spec.Roles, other.Spec.Roles = false, nil, []string{"viewer", "admin"}
	for _, c := range []struct {
		name string
		live []client.Object
		kept bool
	}{
		{"holds it", []client.Object{anAdmin("bob")}, false},
		{"holds it with others", []client.Object{other}, false},
		{"is inactive", []client.Object{inactive}, true},
		{"has lost it", []client.Object{roleless}, true},
		{"is gone", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ada := anAdmin("ada")
			g := seeing([]client.Object{ada, anAdmin("bob")}, c.live)
			var kept keep
			err := g.carryOut(t.Context(), "ns", nil, removal{id: "ada", access: true, roles: []string{"admin", "viewer"}},
				[]*v1alpha1.AppMembership{ada}, func(k keep) error {
					kept = k
					return nil
				})
			if err != nil || kept.anything() != c.kept {
				t.Errorf("%+v, %v", kept, err)
			}
			if c.kept && (!kept.access || !slices.Equal(kept.roles, []string{"admin"}) || kept.reason != v1alpha1.ReasonLastHolder) {
				t.Errorf("%+v", kept)
			}
		})
	}
}

// TestOneOfTwoLastHoldersStays: while one loses the role, nobody judges by that one still having it.
func TestOneOfTwoLastHoldersStays(t *testing.T) {
	for range 30 {
		members := []*v1alpha1.AppMembership{anAdmin("ada"), anAdmin("bob")}
		objects := []client.Object{members[0], members[1]}
		g := seeing(objects, objects)
		server := g.live.(kube)
		var stayed atomic.Int32
		var both sync.WaitGroup
		for _, m := range members {
			both.Go(func() {
				err := g.carryOut(t.Context(), "ns", nil, removal{id: m.Name, roles: []string{"admin"}},
					[]*v1alpha1.AppMembership{m}, func(k keep) error {
						if k.anything() {
							stayed.Add(1)
							return nil
						}
						runtime.Gosched()
						return server.Delete(t.Context(), anAdmin(m.Name))
					})
				if err != nil {
					t.Error(err)
				}
			})
		}
		if both.Wait(); stayed.Load() != 1 {
			t.Fatalf("%d stay", stayed.Load())
		}
	}
}
