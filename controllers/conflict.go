package controllers

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// holderBefore names the object that holds a unique name before obj does, among the others that hold it: an older one, or
// one of the same age, for then nobody knows which came first and neither may win. It is empty when obj is the holder.
func holderBefore[T metav1.Object](obj metav1.Object, others []T) string {
	before := ""
	created := obj.GetCreationTimestamp()
	for _, o := range others {
		age := o.GetCreationTimestamp()
		if o.GetName() == obj.GetName() || deleting(o) || created.Before(&age) {
			continue
		}
		if before == "" || o.GetName() < before {
			before = o.GetName()
		}
	}
	return before
}
