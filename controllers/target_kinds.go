package controllers

import (
	"context"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
	"github.com/scim-operator/scim-operator/controllers/targets/argocd"
	"github.com/scim-operator/scim-operator/controllers/targets/grafana"
	"github.com/scim-operator/scim-operator/controllers/targets/kubernetesrbac"
	"github.com/scim-operator/scim-operator/controllers/targets/openfga"
	"github.com/scim-operator/scim-operator/controllers/targets/openshiftgroups"
	"github.com/scim-operator/scim-operator/controllers/targets/webhook"
)

// kindOf is the kind of system of a target; the API server sees to it that there is exactly one.
func kindOf(t *v1alpha1.AppTarget) targets.Kind {
	switch s := &t.Spec; {
	case s.KubernetesRBAC != nil:
		return kubernetesrbac.Kind
	case s.ArgoCD != nil:
		return argocd.Kind
	case s.OpenShiftGroups != nil:
		return openshiftgroups.Kind
	case s.OpenFGA != nil:
		return openfga.Kind
	case s.Webhook != nil:
		return webhook.Kind
	case s.Grafana != nil:
		return grafana.Kind
	default:
		return unknownKind
	}
}

// unknownKind is a kind that the CRD of a newer version has.
var unknownKind = targets.Kind{Open: func(context.Context, targets.Environment) (targets.System, error) {
	return nil, targets.Invalidate("this version of the operator does not know this kind of target; upgrade the operator")
}}
