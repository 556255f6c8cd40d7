package install

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var allComponents = []string{"split", "autoscaling", "ingress", "httproute", "console", "monitoring"}

// url is the address that config has as an example.
const url = "--set=externalURL=https://scim.example.com"

var _ = Describe("What is rendered", func() {
	DescribeTable("is accepted by a strict API server, and its pods by the restricted profile",
		func(ctx context.Context, render func(context.Context) ([]*unstructured.Unstructured, error)) {
			objects, err := render(ctx)
			Expect(err).NotTo(HaveOccurred())
			dry := client.NewDryRunClient(client.WithFieldValidation(admin, metav1.FieldValidationStrict))
			pods := 0
			for _, o := range objects {
				Expect(dry.Apply(ctx, client.ApplyConfigurationFromUnstructured(o.DeepCopy()), client.FieldOwner("install"), client.ForceOwnership)).
					To(Succeed(), "%s %s", o.GetKind(), o.GetName())
				if o.GetKind() == "Deployment" {
					Expect(dry.Create(ctx, podOf(o))).To(Succeed())
					pods++
				}
			}
			Expect(pods).To(BeNumerically(">", 0))
		},
		Entry("config/default", kustomized("config/default")),
		Entry("config/split", kustomized("config/split")),
		Entry("with autoscaling", overlaid("autoscaling")),
		Entry("with an Ingress", overlaid("ingress")),
		Entry("with the Gateway API", overlaid("httproute")),
		Entry("with the console", overlaid("console")),
		Entry("with monitoring", overlaid("monitoring")),
		Entry("with all components", overlaid(allComponents...)),
		Entry("the chart", charted()),
		Entry("the chart with everything", charted(
			"--set=split.enabled=true,autoscaling.enabled=true,ingress.enabled=true,httpRoute.enabled=true",
			"--set=auditLog.path=/var/log/scim/audit.log,trustForwardedHeaders=true,targetNetworks={10.96.0.0/12,fd00::/8}",
			"--set=split.controllers.resources.requests.memory=64Mi,priorityClassName=system-cluster-critical",
			"--set=imagePullSecrets[0].name=registry,nodeSelector.disk=ssd,podLabels.team=identity,podAnnotations.note=yes",
			"--set=tolerations[0].operator=Exists,service.annotations.a=b,serviceAccount.annotations.a=b,ingress.annotations.a=b",
			"--set=affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution=null",
			"--set=extraArgs={--requests-per-second=50},extraVolumes[0].name=tls,extraVolumes[0].secret.secretName=tls",
			"--set=extraVolumeMounts[0].name=tls,extraVolumeMounts[0].mountPath=/tls",
			"--set=networkPolicy.egress[0].ports[0].port=443",
			"--set=monitoring.enabled=true,monitoring.labels.release=kube-prometheus-stack",
		)),
		Entry("the chart with nothing", charted(
			"--set=metrics.enabled=false,networkPolicy.enabled=false,crds.install=false,ingress.issuer=,ingress.enabled=true",
		)),
	)

	It("is refused by the restricted profile when it runs as root", func(ctx context.Context) {
		objects, err := Kustomize(ctx, root, filepath.Join(root, "config", "default"))
		Expect(err).NotTo(HaveOccurred())
		for _, o := range objects {
			if o.GetKind() == "Deployment" {
				pod := podOf(o)
				pod.Spec.SecurityContext.RunAsNonRoot = new(bool)
				Expect(client.NewDryRunClient(admin).Create(ctx, pod)).To(MatchError(ContainSubstring("PodSecurity")))
			}
		}
	})

	DescribeTable("is the same by the chart as by kustomize",
		func(ctx context.Context, components []string, settings ...string) {
			byKustomize, err := KustomizeWith(ctx, root, components...)
			Expect(err).NotTo(HaveOccurred())
			byHelm, err := Template(ctx, root, append(settings, url)...)
			Expect(err).NotTo(HaveOccurred())
			Expect(installed(byHelm)).To(Equal(installed(byKustomize)))
		},
		Entry("by default", nil),
		Entry("split", []string{"split"}, "--set=split.enabled=true"),
		Entry("with autoscaling", []string{"autoscaling"}, "--set=autoscaling.enabled=true"),
		Entry("with an Ingress", []string{"ingress"}, "--set=ingress.enabled=true"),
		Entry("with the Gateway API", []string{"httproute"}, "--set=httpRoute.enabled=true"),
		Entry("with traces", []string{"tracing"}, "--set=tracing.endpoint=http://otel-collector.observability:4318"),
		Entry("without impersonation", []string{"no-impersonation"}, "--set=targets.impersonate=false"),
		Entry("with the console", []string{"console"}, "--set=console.enabled=true"),
		Entry("with the console, split", []string{"split", "console"}, "--set=split.enabled=true,console.enabled=true"),
		Entry("with monitoring", []string{"monitoring"}, "--set=monitoring.enabled=true"),
		Entry("with everything", allComponents,
			"--set=split.enabled=true,autoscaling.enabled=true,ingress.enabled=true,httpRoute.enabled=true,console.enabled=true,monitoring.enabled=true"),
	)

	It("has the same split by the folder as by the component", func(ctx context.Context) {
		byFolder, err := kustomized("config/split")(ctx)
		Expect(err).NotTo(HaveOccurred())
		byComponent, err := KustomizeWith(ctx, root, "split")
		Expect(err).NotTo(HaveOccurred())
		Expect(byFolder).To(Equal(byComponent))
	})
})

var _ = Describe("The chart", func() {
	It("passes Helm's linter", func(ctx context.Context) {
		command, err := Helm(ctx, root, "lint", "--strict", "config/chart", url)
		Expect(err).NotTo(HaveOccurred())
		out, err := command.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
	})

	DescribeTable("says what is wrong with its values",
		func(ctx context.Context, message string, settings ...string) {
			_, err := Template(ctx, root, settings...)
			Expect(err).To(MatchError(ContainSubstring(message)))
		},
		Entry("no address", "externalURL"),
		Entry("an address without a scheme", "externalURL", "--set=externalURL=scim.example.com"),
		Entry("a value that there is not", "replicaCount", url, "--set=replicaCount=3"),
		Entry("alerts on metrics that are not served", "metrics/enabled", url, "--set=monitoring.enabled=true,metrics.enabled=false"),
		Entry("a collector without a scheme", "tracing/endpoint", url, "--set=tracing.endpoint=otel-collector:4318"),
		Entry("a network that is none", "targetNetworks", url, "--set=targetNetworks={everywhere}"),
		Entry("an Ingress for an address with a path", "has one: take the path away",
			"--set=externalURL=https://example.com/identity,ingress.enabled=true"),
	)

	It("documents every value", func() {
		page, err := os.ReadFile(filepath.Join(root, "docs", "install.md"))
		Expect(err).NotTo(HaveOccurred())
		content, err := os.ReadFile(filepath.Join(root, "config", "chart", "values.schema.json"))
		Expect(err).NotTo(HaveOccurred())
		var values schema
		Expect(json.Unmarshal(content, &values)).To(Succeed())
		for _, name := range values.names("") {
			Expect(string(page)).To(ContainSubstring("| `" + name + "` |"))
		}
	})

	It("installs in any namespace", func(ctx context.Context) {
		objects, err := Template(ctx, root, url, "--namespace=elsewhere")
		Expect(err).NotTo(HaveOccurred())
		for _, o := range objects {
			Expect(fmt.Sprint(o.Object)).NotTo(ContainSubstring(system), "%s %s", o.GetKind(), o.GetName())
		}
	})
})

// schema is what matters here of a JSON Schema.
type schema struct {
	Properties map[string]schema `json:"properties"`
}

// names are those of the values that have no values of their own.
func (s schema) names(prefix string) []string {
	var all []string
	for name, property := range s.Properties {
		switch {
		case prefix+name == "global": // of all charts
		case len(property.Properties) > 0:
			all = append(all, property.names(prefix+name+".")...)
		default:
			all = append(all, prefix+name)
		}
	}
	return all
}

func kustomized(folder string) func(context.Context) ([]*unstructured.Unstructured, error) {
	return func(ctx context.Context) ([]*unstructured.Unstructured, error) {
		return Kustomize(ctx, root, filepath.Join(root, folder))
	}
}

func overlaid(components ...string) func(context.Context) ([]*unstructured.Unstructured, error) {
	return func(ctx context.Context) ([]*unstructured.Unstructured, error) {
		return KustomizeWith(ctx, root, components...)
	}
}

func charted(settings ...string) func(context.Context) ([]*unstructured.Unstructured, error) {
	return func(ctx context.Context) ([]*unstructured.Unstructured, error) {
		return Template(ctx, root, append(settings, url)...)
	}
}

// podOf is a pod as a Deployment makes it.
func podOf(deployment *unstructured.Unstructured) *corev1.Pod {
	GinkgoHelper()
	template, _, err := unstructured.NestedMap(deployment.Object, "spec", "template")
	Expect(err).NotTo(HaveOccurred())
	pod := &corev1.Pod{}
	Expect(runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(template, pod, true)).To(Succeed())
	pod.Namespace, pod.GenerateName = deployment.GetNamespace(), deployment.GetName()+"-"
	return pod
}

// installed is what is installed, without Helm's own labels, and without what one of both ways leaves to its user.
func installed(objects []*unstructured.Unstructured) map[string]any {
	all := map[string]any{}
	for _, o := range objects {
		if o.GetKind() == "Namespace" || o.GetKind() == "Gateway" {
			continue
		}
		labels := o.GetLabels()
		for _, label := range []string{"instance", "managed-by", "version"} {
			delete(labels, "app.kubernetes.io/"+label)
		}
		delete(labels, "helm.sh/chart")
		o.SetLabels(labels)
		annotations := o.GetAnnotations()
		delete(annotations, "helm.sh/resource-policy")
		o.SetAnnotations(annotations)
		all[strings.Join([]string{o.GetKind(), o.GetNamespace(), o.GetName()}, " ")] = o.Object
	}
	return all
}
