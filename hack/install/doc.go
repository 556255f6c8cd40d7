// Package install renders what a cluster gets when the operator is installed: config by kustomize, and the chart by Helm.
package install
