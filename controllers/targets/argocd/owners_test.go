package argocd

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWhoseTheKeyIs(t *testing.T) {
	const key, fields, apply, update = "policy.acme.x.csv", `{"f:data":{"f:policy.acme.x.csv":{}}}`,
		metav1.ManagedFieldsOperationApply, metav1.ManagedFieldsOperationUpdate
	entry := func(manager string, by metav1.ManagedFieldsOperationType, fields string) metav1.ManagedFieldsEntry {
		e := metav1.ManagedFieldsEntry{Manager: manager, Operation: by, FieldsV1: &metav1.FieldsV1{}}
		e.FieldsV1.SetRawString(fields)
		return e
	}
	for name, c := range map[string]struct {
		entries        []metav1.ManagedFieldsEntry
		others         []string
		held, heldOnce bool // without and with a record that the key was the target's
	}{
		"nobody's":         {heldOnce: true},
		"ours":             {entries: []metav1.ManagedFieldsEntry{entry("we", apply, fields)}, held: true, heldOnce: true},
		"another key's":    {entries: []metav1.ManagedFieldsEntry{entry("we", apply, `{"f:data":{"f:x":{}}}`)}, heldOnce: true},
		"unreadable":       {entries: []metav1.ManagedFieldsEntry{entry("we", apply, `[`), {Manager: "we", Operation: apply}}, heldOnce: true},
		"edited":           {entries: []metav1.ManagedFieldsEntry{entry("kubectl-edit", update, fields)}, others: []string{"kubectl-edit"}, heldOnce: true},
		"written by two":   {entries: []metav1.ManagedFieldsEntry{entry("z", update, fields), entry("a", update, fields)}, others: []string{"a", "z"}, heldOnce: true},
		"applied by one":   {entries: []metav1.ManagedFieldsEntry{entry("gitops", apply, fields)}, others: []string{"gitops"}},
		"applied by two":   {entries: []metav1.ManagedFieldsEntry{entry("gitops", apply, fields), entry("we", apply, fields)}, others: []string{"gitops"}},
		"ours and written": {entries: []metav1.ManagedFieldsEntry{entry("we", apply, fields), entry("a", update, fields)}, others: []string{"a"}, held: true, heldOnce: true},
	} {
		t.Run(name, func(t *testing.T) {
			by := ownersOf(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{ManagedFields: c.entries}}, key)
			if got := by.others("we"); !slices.Equal(got, c.others) {
				t.Errorf("others are %v", got)
			}
			if held, once := by.heldBy("we", false), by.heldBy("we", true); held != c.held || once != c.heldOnce {
				t.Errorf("it is held: %t, and if it once was: %t", held, once)
			}
		})
	}
}
