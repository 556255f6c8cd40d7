package upgrade

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/operator"
)

// writesBaseline has the specs note what this version leaves in a cluster: see `make baseline`.
var writesBaseline = flag.Bool("baseline", false, "write what this version leaves in a cluster")

var (
	baseline = filepath.Join("testdata", "release", "objects.json.gz")
	remember = filepath.Join("testdata", "release", "answers.json")
)

// kinds are all that the operator writes, in the order in which an administrator may make them: what belongs to a directory
// comes before it.
var kinds = []schema.GroupVersionKind{
	{Version: "v1", Kind: "Secret"},
	{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding"},
	v1alpha1.GroupVersion.WithKind("AppRole"),
	v1alpha1.GroupVersion.WithKind("ScimTombstone"),
	v1alpha1.GroupVersion.WithKind("ScimMemberSlice"),
	v1alpha1.GroupVersion.WithKind("ScimGroup"),
	v1alpha1.GroupVersion.WithKind("ScimUser"),
	v1alpha1.GroupVersion.WithKind("AppMembership"),
	v1alpha1.GroupVersion.WithKind("ScimDirectory"),
	v1alpha1.GroupVersion.WithKind("AppTargetLedger"),
	v1alpha1.GroupVersion.WithKind("AppTarget"),
}

// answers are what an identity provider saw, and what OpenFGA held.
type answers struct {
	Users, Groups []listed
	Tuples        []string
}

// objectsOf are all objects of the organization.
func objectsOf(ctx context.Context, i *operator.Installation) (all []unstructured.Unstructured) {
	GinkgoHelper()
	for _, kind := range kinds {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		Expect(i.Admin.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		all = append(all, list.Items...)
	}
	return all
}

// beforeAnUpgrade adds to an organization what an upgrade may find in a cluster beside: groups whose resize was interrupted,
// and targets whose systems are outside of Kubernetes.
func (c *cluster) beforeAnUpgrade(ctx context.Context, stay []string, leaver string) answers {
	GinkgoHelper()
	s := startSystems(ctx)
	s.follow(ctx, c.Installation)
	interruptedResizes(ctx, c.Installation, stay, leaver)
	all := []string{"ada admin", "ada auditor", "bob admin", "bob auditor", "fay admin", "fay auditor"}
	Eventually(s.tuples(ctx)).Should(Equal(all))
	Eventually(s.heard).Should(ContainElements("snapshot ada admin,auditor", "snapshot bob admin,auditor,owner", "snapshot fay admin,auditor"))
	Eventually(c.readyReasons(ctx)).Should(Equal([]string{
		"directory Ready", "target InSync", "user Deactivated", "user Provisioned",
	}))
	return answers{c.scim(http.MethodGet, "/Users", "").body.Resources, c.scim(http.MethodGet, "/Groups", "").body.Resources, all}
}

// writeBaseline writes what is there.
func writeBaseline(ctx context.Context, i *operator.Installation, seen answers) {
	GinkgoHelper()
	Expect(os.MkdirAll(filepath.Dir(baseline), 0o755)).To(Succeed())
	file, err := os.Create(baseline)
	Expect(err).NotTo(HaveOccurred())
	packed := gzip.NewWriter(file)
	for _, o := range objectsOf(ctx, i) {
		Expect(json.NewEncoder(packed).Encode(o.Object)).To(Succeed())
	}
	Expect(errors.Join(packed.Close(), file.Close())).To(Succeed())
	text, err := json.MarshalIndent(seen, "", "  ")
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(remember, append(text, '\n'), 0o644)).To(Succeed())
}

// load puts what the last release left into a cluster, as it was but for what the API server gives each object itself.
func load(ctx context.Context, i *operator.Installation, s *systems) (loaded []unstructured.Unstructured, seen answers) {
	GinkgoHelper()
	file, err := os.Open(baseline)
	Expect(err).NotTo(HaveOccurred())
	defer file.Close()
	packed, err := gzip.NewReader(file)
	Expect(err).NotTo(HaveOccurred())
	for decoder := json.NewDecoder(packed); ; {
		o := unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			break
		}
		Expect(err).NotTo(HaveOccurred())
		s.moveHere(&o)
		loaded = append(loaded, put(ctx, i, o))
	}
	text, err := os.ReadFile(remember)
	Expect(err).NotTo(HaveOccurred())
	Expect(json.Unmarshal(text, &seen)).To(Succeed())
	return loaded, seen
}

// put makes an object, then gives its fields back to whom they belonged, and its status.
func put(ctx context.Context, i *operator.Installation, o unstructured.Unstructured) unstructured.Unstructured {
	GinkgoHelper()
	former := o.DeepCopy()
	o.SetUID("")
	o.SetResourceVersion("")
	o.SetOwnerReferences(nil)
	o.SetManagedFields(nil)
	Expect(i.Admin.Create(ctx, &o)).To(Succeed())
	if annotations := o.GetAnnotations(); annotations[v1alpha1.UIDAnnotation] != "" {
		annotations[v1alpha1.UIDAnnotation] = string(o.GetUID())
		o.SetAnnotations(annotations)
	}
	o.SetManagedFields(former.GetManagedFields())
	Expect(i.Admin.Update(ctx, &o)).To(Succeed())
	if status, has := former.Object["status"]; has {
		o.Object["status"] = status
		Expect(i.Admin.Status().Update(ctx, &o)).To(Succeed())
		o.SetManagedFields(former.GetManagedFields())
		Expect(i.Admin.Update(ctx, &o)).To(Succeed())
	}
	return o
}
