package argocd

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// owners are the field managers of a key: those that apply it, who mean to keep it, and those that once wrote it.
type owners struct {
	applying, writing []string
}

// ownersOf reads who owns a key of a ConfigMap.
func ownersOf(cm *corev1.ConfigMap, key string) owners {
	var o owners
	path := fieldpath.MakePathOrDie("data", key)
	for _, entry := range cm.ManagedFields {
		var fields fieldpath.Set
		if entry.FieldsV1 == nil || fields.FromJSON(entry.FieldsV1.GetRawReader()) != nil || !fields.Has(path) {
			continue
		}
		if entry.Operation == metav1.ManagedFieldsOperationApply {
			o.applying = append(o.applying, entry.Manager)
		} else {
			o.writing = append(o.writing, entry.Manager)
		}
	}
	return o
}

// others are all but one, in order.
func (o owners) others(manager string) []string {
	all := slices.DeleteFunc(slices.Concat(o.applying, o.writing), func(m string) bool { return m == manager })
	slices.Sort(all)
	return slices.Compact(all)
}

// heldBy says whether a key is a manager's: it applies the key, or did and somebody else edited it, and nobody else applies
// it. An edit is made once; what is applied would be applied again.
func (o owners) heldBy(manager string, did bool) bool {
	applies := slices.Contains(o.applying, manager)
	return (applies || did) && !slices.ContainsFunc(o.applying, func(m string) bool { return m != manager })
}
