package controllers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
)

// What a repository holds: every field of the policies, as a person writes it, with the marks of the tools that apply it.
const manifests = `
apiVersion: scim-operator.io/v1alpha1
kind: ScimDirectory
metadata:
  name: okta
  labels:
    app.kubernetes.io/instance: people
    argocd.argoproj.io/instance: people
    kustomize.toolkit.fluxcd.io/name: people
    kustomize.toolkit.fluxcd.io/namespace: flux-system
  annotations:
    argocd.argoproj.io/tracking-id: people:scim-operator.io/ScimDirectory:acme/okta
    argocd.argoproj.io/sync-wave: "1"
spec:
  primary: true
  suspended: false
  tokens:
  - name: idp
    generate: true
    plaintext: EraseAfterFirstUse
    expirationTime: "2099-03-31T00:00:00Z"
    secretRef: {name: made}
  - name: reader
    generate: true
    scopes: [Read]
    secretRef: {name: made-too}
  users:
    identifier: email
    deactivation: Delete
    tombstoneTTL: 1440m
    importable: All
    allowedDomains: [example.com]
  groups:
    meaning: Role
    rename: Ignore
    importable: All
    reserved: [Everyone]
  localEdits: Deny
  safeguard: {window: 90m, percent: 0}
  extensions:
  - urn: urn:ietf:params:scim:schemas:extension:acme:2.0:User
    name: Acme
    resourceType: User
    attributes:
    - name: level
      type: string
    - name: desk
      type: complex
      subAttributes:
      - name: floor
        type: integer
  deletionPolicy: Revoke
---
apiVersion: scim-operator.io/v1alpha1
kind: AppRole
metadata:
  name: admin
  labels: {app.kubernetes.io/instance: people, kustomize.toolkit.fluxcd.io/name: people}
  annotations: {argocd.argoproj.io/tracking-id: "people:scim-operator.io/AppRole:acme/admin"}
spec:
  displayName: Admin
  protected: true
  grantedTo:
  - displayName: Admins
`

// kubectl runs the kubectl of the control plane in the spec's namespace, with the manifests as its input.
func (w *world) kubectl(arguments ...string) (string, error) {
	GinkgoHelper()
	root, err := controlplane.Root()
	Expect(err).NotTo(HaveOccurred())
	assets, err := controlplane.Assets(w.ctx, root, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	program := filepath.Join(assets, "kubectl")
	kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(os.WriteFile(kubeconfig, shared.Administrator, 0o600)).To(Succeed())
	command := exec.CommandContext(w.ctx, program, append([]string{"--kubeconfig", kubeconfig, "--namespace", w.ns}, arguments...)...)
	command.Stdin = strings.NewReader(manifests)
	out, err := command.CombinedOutput()
	return string(out), err
}

// desired are the manifests as objects.
func (w *world) desired() []*unstructured.Unstructured {
	GinkgoHelper()
	var all []*unstructured.Unstructured
	for decoder := yaml.NewYAMLToJSONDecoder(strings.NewReader(manifests)); ; {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return all
		}
		Expect(err).NotTo(HaveOccurred())
		o.SetNamespace(w.ns)
		all = append(all, o)
	}
}

// live are the objects of the manifests as they are.
func (w *world) live() []*unstructured.Unstructured {
	GinkgoHelper()
	var all []*unstructured.Unstructured
	for _, o := range w.desired() {
		live := &unstructured.Unstructured{}
		live.SetGroupVersionKind(o.GroupVersionKind())
		Expect(k8s.Get(w.ctx, client.ObjectKeyFromObject(o), live)).To(Succeed())
		all = append(all, live)
	}
	return all
}

// asWritten is what of the objects a person is responsible for.
func asWritten(objects []*unstructured.Unstructured) (specs []any) {
	for _, o := range objects {
		specs = append(specs, []any{o.GetGeneration(), o.Object["spec"], o.GetLabels(), o.GetFinalizers()})
	}
	return specs
}

var _ = Describe("What a repository holds", func() {
	var w *world

	// settled waits until the operator has done its part: tokens, the election, people, a role.
	settled := func() {
		GinkgoHelper()
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionPrimary, v1alpha1.ReasonElected)
		w.eventuallyReason(w.directoryConditions("okta"), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		w.group("okta", "Admins", w.user("okta", "ada@example.com"))
		w.localMember("local", "local@example.com")
		// The group grants the role of the repository, and is one itself.
		Eventually(w.access).Should(ContainElement("ada@example.com active [admin admins]"))
		w.eventuallyReason(func() []metav1.Condition { return get[v1alpha1.AppRole](w, "admin").Status.Conditions },
			v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	}

	BeforeEach(func() { w = newWorld() })

	DescribeTable("stays as it is when kubectl applies it again", func(arguments ...string) {
		apply := append([]string{"apply", "-f", "-"}, arguments...)
		out, err := w.kubectl(apply...)
		Expect(err).NotTo(HaveOccurred(), out)
		settled()
		before := asWritten(w.live())
		out, err = w.kubectl(append([]string{"diff", "-f", "-"}, arguments...)...)
		Expect(err).NotTo(HaveOccurred(), out)
		Expect(out).To(BeEmpty())
		out, err = w.kubectl(apply...)
		Expect(err).NotTo(HaveOccurred(), out)
		Expect(asWritten(w.live())).To(Equal(before))
		Expect(out).NotTo(ContainSubstring("configured"))
	},
		Entry("as a client"),
		Entry("by server-side apply", "--server-side"),
	)

	It("stays as it is when Argo CD compares it three ways", func() {
		for _, o := range w.desired() {
			written, err := json.Marshal(o)
			Expect(err).NotTo(HaveOccurred())
			annotations := o.GetAnnotations()
			annotations[corev1.LastAppliedConfigAnnotation] = string(written)
			o.SetAnnotations(annotations)
			Expect(k8s.Create(w.ctx, o)).To(Succeed())
		}
		settled()
		before := asWritten(w.live())
		for i, live := range w.live() {
			last := []byte(live.GetAnnotations()[corev1.LastAppliedConfigAnnotation])
			now, err := json.Marshal(w.desired()[i])
			Expect(err).NotTo(HaveOccurred())
			is, err := json.Marshal(live)
			Expect(err).NotTo(HaveOccurred())
			patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(last, now, is)
			Expect(err).NotTo(HaveOccurred())
			Expect(string(patch)).To(Equal("{}"), live.GetKind())
			Expect(k8s.Patch(w.ctx, live, client.RawPatch(types.MergePatchType, patch))).To(Succeed())
		}
		Expect(asWritten(w.live())).To(Equal(before))
	})

	It("does not lend its tracking marks to what the operator makes", func() {
		for _, o := range w.desired() {
			Expect(k8s.Create(w.ctx, o)).To(Succeed())
		}
		written := map[types.UID]bool{}
		for _, o := range w.live() {
			written[o.GetUID()] = true
		}
		settled()
		made := map[string]bool{}
		for _, list := range []client.ObjectList{
			&corev1.SecretList{}, &eventsv1.EventList{}, &v1alpha1.AppMembershipList{}, &v1alpha1.AppRoleList{}, &v1alpha1.ScimUserList{},
			&v1alpha1.ScimGroupList{}, &v1alpha1.ScimMemberSliceList{}, &v1alpha1.ScimTombstoneList{},
		} {
			Expect(k8s.List(w.ctx, list, client.InNamespace(w.ns))).To(Succeed())
			Expect(meta.EachListItem(list, func(item runtime.Object) error {
				o := item.(client.Object)
				if written[o.GetUID()] {
					return nil
				}
				made[strings.TrimPrefix(fmt.Sprintf("%T", o), "*")] = true
				for _, key := range slices.Collect(maps.Keys(o.GetLabels())) {
					Expect(key).NotTo(beTrackingMark(), o.GetName())
				}
				for _, key := range slices.Collect(maps.Keys(o.GetAnnotations())) {
					Expect(key).NotTo(beTrackingMark(), o.GetName())
				}
				return nil
			})).To(Succeed())
		}
		Expect(made).To(And(HaveKey("v1.Secret"), HaveKey("v1.Event"), HaveKey("v1alpha1.AppMembership")))
	})
})

func beTrackingMark() OmegaMatcher {
	return Or(HavePrefix("argocd.argoproj.io/"), HavePrefix("kustomize.toolkit.fluxcd.io/"), Equal("app.kubernetes.io/instance"))
}
