package main

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// conditionOf is the value that an object of config/default depends on.
func conditionOf(object *unstructured.Unstructured) string {
	switch object.GetKind() + " " + object.GetName() {
	case "NetworkPolicy scim-operator":
		return ".Values.networkPolicy.enabled"
	case "Service scim-operator-metrics":
		return ".Values.metrics.enabled"
	case "ClusterRoleBinding scim-operator-impersonator":
		return ".Values.targets.impersonate"
	}
	if object.GetKind() == "CustomResourceDefinition" {
		return ".Values.crds.install"
	}
	return ""
}

// parametrize makes the holes for the chart's values. It returns an error when config is not as it expects, so that no value
// is ever without effect.
func (s *sheet) parametrize(object *unstructured.Unstructured) error {
	fields := object.Object
	switch object.GetKind() {
	case "CustomResourceDefinition":
		at(fields, "metadata", "annotations")[s.lines("{{- if .Values.crds.keep }}\nhelm.sh/resource-policy: keep\n{{- end }}")] = ""
	case "ServiceAccount":
		at(fields, "metadata")[s.lines(annotations("serviceAccount.annotations"))] = ""
	case "ClusterRoleBinding", "RoleBinding":
		if object.GetName() != "scim-operator-server" {
			subject := fields["subjects"].([]any)[0].(map[string]any)
			subject["name"] = s.value(`ternary "scim-operator-controllers" "scim-operator" .Values.split.enabled`)
		}
	case "Deployment":
		return s.deployment(object)
	case "Service":
		if object.GetName() == "scim-operator" {
			at(fields, "metadata")[s.lines(annotations("service.annotations"))] = ""
		}
	case "NetworkPolicy":
		return s.networkPolicy(at(fields, "spec"))
	case "HorizontalPodAutoscaler":
		spec := at(fields, "spec")
		spec["minReplicas"] = s.value(".Values.autoscaling.minReplicas")
		spec["maxReplicas"] = s.value(".Values.autoscaling.maxReplicas")
		metric := spec["metrics"].([]any)[0].(map[string]any)
		at(metric, "resource", "target")["averageValue"] = s.value(".Values.autoscaling.averageCPU | quote")
	case "Ingress":
		at(fields, "metadata")["annotations"] = map[string]any{
			s.lines("{{- with .Values.ingress.issuer }}\ncert-manager.io/cluster-issuer: {{ . | quote }}\n{{- end }}\n" +
				"{{- with .Values.ingress.annotations }}\n{{- toYaml . | nindent 4 }}\n{{- end }}"): "",
		}
		spec, host := at(fields, "spec"), s.value(`include "scim-operator.host" . | quote`)
		delete(spec, "ingressClassName")
		spec[s.lines("{{- with .Values.ingress.className }}\ningressClassName: {{ . | quote }}\n{{- end }}")] = ""
		tls := spec["tls"].([]any)[0].(map[string]any)
		tls["hosts"], tls["secretName"] = []any{host}, s.value(".Values.ingress.tlsSecretName | quote")
		spec["rules"].([]any)[0].(map[string]any)["host"] = host
	case "ServiceMonitor", "PrometheusRule":
		at(fields, "metadata", "labels")[s.lines("{{- with .Values.monitoring.labels }}\n{{- toYaml . | nindent 4 }}\n{{- end }}")] = ""
	case "HTTPRoute":
		spec := at(fields, "spec")
		delete(spec, "parentRefs")
		spec[s.lines("parentRefs:\n{{- toYaml .Values.httpRoute.parentRefs | nindent 2 }}")] = ""
		spec["hostnames"] = []any{s.value(`include "scim-operator.host" . | quote`)}
	}
	return nil
}

// at returns the map at a path, which it makes if there is none.
func at(fields map[string]any, path ...string) map[string]any {
	for _, key := range path {
		next, ok := fields[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			fields[key] = next
		}
		fields = next
	}
	return fields
}

// annotations are the metadata's, if the value has any.
func annotations(value string) string {
	return "{{- with .Values." + value + " }}\nannotations:\n{{- toYaml . | nindent 4 }}\n{{- end }}"
}

func (s *sheet) networkPolicy(spec map[string]any) error {
	rules := spec["ingress"].([]any)
	metrics := slices.IndexFunc(rules, func(rule any) bool {
		return rule.(map[string]any)["ports"].([]any)[0].(map[string]any)["port"] == "metrics"
	})
	if metrics < 0 {
		return fmt.Errorf("no rule for the port metrics")
	}
	rules[metrics] = s.lines("{{- if .Values.metrics.enabled }}\n- from:\n{{- toYaml .Values.networkPolicy.metricsFrom | nindent 4 }}\n" +
		"  ports:\n  - port: metrics\n{{- end }}")
	spec["ingress"] = append(rules, s.lines("{{- if .Values.console.enabled }}\n- from:\n  - namespaceSelector: {}\n  ports:\n  - port: console\n{{- end }}"))
	spec["policyTypes"] = append(spec["policyTypes"].([]any), s.lines("{{- if .Values.networkPolicy.egress }}\n- Egress\n{{- end }}"))
	spec[s.lines("{{- with .Values.networkPolicy.egress }}\negress:\n{{- toYaml . | nindent 2 }}\n{{- end }}")] = ""
	return nil
}

func (s *sheet) deployment(object *unstructured.Unstructured) error {
	controllers := object.GetName() == "scim-operator-controllers"
	spec := at(object.Object, "spec")
	delete(spec, "replicas")
	if controllers {
		spec["replicas"] = s.value(".Values.split.controllers.replicas")
	} else {
		spec[s.lines("{{- if not .Values.autoscaling.enabled }}\nreplicas: {{ .Values.replicas }}\n{{- end }}")] = ""
	}
	pod := at(spec, "template", "spec")
	metadata := at(spec, "template", "metadata")
	at(metadata, "annotations")[s.lines("{{- with .Values.podAnnotations }}\n{{- toYaml . | nindent 8 }}\n{{- end }}")] = ""
	at(metadata, "labels")[s.lines("{{- with .Values.podLabels }}\n{{- toYaml . | nindent 8 }}\n{{- end }}")] = ""
	for _, field := range []string{"imagePullSecrets", "nodeSelector", "tolerations"} {
		pod[s.lines(fmt.Sprintf("{{- with .Values.%[1]s }}\n%[1]s:\n{{- toYaml . | nindent 8 }}\n{{- end }}", field))] = ""
	}
	affinity, err := yaml.Marshal(pod["affinity"])
	if err != nil {
		return err
	}
	delete(pod, "affinity")
	pod[s.lines("affinity:\n{{- with .Values.affinity }}\n{{- toYaml . | nindent 8 }}\n{{- else }}\n  "+
		strings.ReplaceAll(strings.TrimSpace(string(affinity)), "\n", "\n  ")+"\n{{- end }}")] = ""
	pod[s.lines("{{- with .Values.priorityClassName }}\npriorityClassName: {{ . | quote }}\n{{- end }}")] = ""
	pod[s.lines("{{- if or .Values.auditLog.path .Values.extraVolumes }}\nvolumes:\n"+
		"{{- if .Values.auditLog.path }}\n- name: audit-log\n{{- toYaml (.Values.auditLog.volume | default (dict \"emptyDir\" dict)) | nindent 8 }}\n{{- end }}\n"+
		"{{- with .Values.extraVolumes }}\n{{- toYaml . | nindent 6 }}\n{{- end }}\n{{- end }}")] = ""

	container := pod["containers"].([]any)[0].(map[string]any)
	container["image"] = s.value(`include "scim-operator.image" . | quote`)
	container["imagePullPolicy"] = s.value(".Values.image.pullPolicy")
	environment := container["env"].([]any)[0].(map[string]any)
	if environment["name"] != "EXTERNAL_URL" {
		return fmt.Errorf("the first variable is %v instead of EXTERNAL_URL", environment["name"])
	}
	environment["value"] = s.value(`include "scim-operator.externalURL" . | quote`)
	container["env"] = append(container["env"].([]any), s.lines(strings.Join([]string{
		"{{- if .Values.tracing.endpoint }}",
		"- name: OTEL_EXPORTER_OTLP_ENDPOINT", "  value: {{ .Values.tracing.endpoint | quote }}",
		"- name: OTEL_TRACES_SAMPLER", "  value: parentbased_traceidratio",
		"- name: OTEL_TRACES_SAMPLER_ARG", "  value: {{ .Values.tracing.ratio | quote }}",
		"{{- end }}",
		"{{- with .Values.extraEnv }}", "{{- toYaml . | nindent 8 }}", "{{- end }}",
	}, "\n")))
	delete(container, "resources")
	resources := ".Values.resources"
	if controllers {
		resources = "(.Values.split.controllers.resources | default .Values.resources)"
	}
	container[s.lines("resources:\n{{- toYaml "+resources+" | nindent 10 }}")] = ""
	container[s.lines("{{- if or .Values.auditLog.path .Values.extraVolumeMounts }}\nvolumeMounts:\n"+
		"{{- with .Values.auditLog.path }}\n- name: audit-log\n  mountPath: {{ dir . | quote }}\n{{- end }}\n"+
		"{{- with .Values.extraVolumeMounts }}\n{{- toYaml . | nindent 8 }}\n{{- end }}\n{{- end }}")] = ""
	ports := container["ports"].([]any)
	for i, port := range ports {
		if port.(map[string]any)["name"] == "metrics" {
			ports[i] = s.lines("{{- if .Values.metrics.enabled }}\n- containerPort: 9090\n  name: metrics\n{{- end }}")
		}
	}
	if !controllers {
		container["ports"] = append(ports, s.lines("{{- if .Values.console.enabled }}\n- containerPort: 8082\n  name: console\n{{- end }}"))
	}
	return s.arguments(container, controllers)
}

func (s *sheet) arguments(container map[string]any, controllers bool) error {
	arguments := container["args"].([]any)
	change := func(from, to string) error {
		i := slices.Index(arguments, any(from))
		if i < 0 {
			return fmt.Errorf("no argument %s", from)
		}
		arguments[i] = to
		return nil
	}
	if !controllers {
		if err := change("--controllers=true", "--controllers="+s.value("not .Values.split.enabled")); err != nil {
			return err
		}
	}
	if err := change("--metrics-bind-address=:9090", `--metrics-bind-address=`+s.value(`ternary ":9090" "0" .Values.metrics.enabled`)); err != nil {
		return err
	}
	if !controllers {
		arguments = append(arguments, s.lines("{{- if .Values.console.enabled }}\n- --console-bind-address=:8082\n{{- end }}"))
	}
	container["args"] = append(arguments, s.lines(strings.Join([]string{
		"{{- if .Values.trustForwardedHeaders }}", "- --trust-forwarded-headers", "{{- end }}",
		"{{- with .Values.targetNetworks }}", `- --target-networks={{ join "," . }}`, "{{- end }}",
		"{{- with .Values.auditLog.path }}", "- --audit-log={{ . }}", "{{- end }}",
		"{{- range .Values.extraArgs }}", "- {{ . | quote }}", "{{- end }}",
	}, "\n")))
	return nil
}
