package targets

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestFieldManagersDiffer(t *testing.T) {
	long := strings.Repeat("a", 62)
	known := map[string]metav1.ObjectMeta{}
	for _, meta := range []metav1.ObjectMeta{
		{Namespace: "a-b", Name: "c"}, {Namespace: "a", Name: "b-c"}, {Namespace: "a", Name: "b.c"},
		{Namespace: long + "b", Name: long + "b"}, {Namespace: long + "b", Name: long + "c"}, {Namespace: long + "c", Name: long + "b"},
	} {
		manager := FieldManager(&v1alpha1.AppTarget{ObjectMeta: meta})
		if other, taken := known[manager]; taken {
			t.Errorf("%s/%s and %s/%s are both %q", meta.Namespace, meta.Name, other.Namespace, other.Name, manager)
		}
		known[manager] = meta
		if errs := validation.ValidateFieldManager(manager, field.NewPath("fieldManager")); len(errs) > 0 {
			t.Errorf("%s/%s: %v", meta.Namespace, meta.Name, errs.ToAggregate())
		}
	}
}
