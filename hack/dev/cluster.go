package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

// In its own control plane the operator is this ServiceAccount, so that it can do what its ClusterRole says
// and nothing else.
const (
	operatorNamespace = "scim-system"
	operatorUser      = "system:serviceaccount:scim-system:scim-operator"
)

// cluster is where the operator runs.
type cluster struct {
	config             *rest.Config // an administrator's
	kubeconfig         string       // the same, for the user
	operatorKubeconfig string
	kubectl            string
	own                bool
	stop               func()
}

func openCluster(ctx context.Context, s settings, out io.Writer) (*cluster, error) {
	if s.kubeconfig != "" {
		return givenCluster(s)
	}
	return ownCluster(ctx, s, out)
}

// givenCluster is the one that KUBECONFIG names. The operator has the user's rights there.
func givenCluster(s settings) (*cluster, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("KUBECONFIG=%s: %w", s.kubeconfig, err)
	}
	return &cluster{config: config, kubeconfig: s.kubeconfig, operatorKubeconfig: s.kubeconfig, kubectl: "kubectl", stop: func() {}}, nil
}

// ownCluster starts a control plane whose state is kept in bin/dev.
func ownCluster(ctx context.Context, s settings, out io.Writer) (*cluster, error) {
	plane, err := controlplane.Start(ctx, controlplane.Options{Root: s.root, DataDir: filepath.Join(s.dir, "controlplane"), Progress: out})
	if err != nil {
		return nil, err
	}
	c := &cluster{
		config:             plane.Config,
		kubeconfig:         filepath.Join(s.dir, "kubeconfig"),
		operatorKubeconfig: filepath.Join(s.dir, "operator.kubeconfig"),
		kubectl:            plane.Kubectl,
		own:                true,
		stop: func() {
			if err := plane.Stop(); err != nil {
				fmt.Fprintln(os.Stderr, "make run: stop the control plane:", err)
			}
		},
	}
	err = errors.Join(
		writeKubeconfig(plane, c.kubeconfig, "administrator", "system:masters"),
		writeKubeconfig(plane, c.operatorKubeconfig, operatorUser, "system:serviceaccounts", "system:serviceaccounts:"+operatorNamespace),
	)
	if err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func writeKubeconfig(plane *controlplane.ControlPlane, path, user string, groups ...string) error {
	content, err := plane.Kubeconfig(user, groups...)
	if err != nil {
		return err
	}
	return writeFile(path, content)
}

// prepare installs what the operator needs, and the sample unless it is there already: it may have been edited.
func (c *cluster) prepare(ctx context.Context, root string) error {
	if c.own {
		if err := create(ctx, c.config, namespace(operatorNamespace)); err != nil {
			return err
		}
		for _, folder := range []string{"rbac", "admission"} {
			if err := controlplane.Apply(ctx, c.config, filepath.Join(root, "config", folder, "*.yaml")); err != nil {
				return err
			}
		}
	} else if _, err := envtest.InstallCRDs(c.config, envtest.CRDInstallOptions{Paths: []string{controlplane.CRDs(root)}}); err != nil {
		return fmt.Errorf("install the CRDs: %w", err)
	}
	sample, err := os.ReadFile(filepath.Join(root, "config", "samples", "demo.yaml"))
	if err != nil {
		return err
	}
	return errors.Join(create(ctx, c.config, namespace(sampleNamespace)), create(ctx, c.config, sample))
}

func namespace(name string) []byte {
	return fmt.Appendf(nil, "{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", name)
}

// create makes those of the objects that do not exist.
func create(ctx context.Context, config *rest.Config, objects []byte) error {
	c, err := client.New(config, client.Options{})
	if err != nil {
		return err
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(objects), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := client.IgnoreAlreadyExists(c.Create(ctx, object)); err != nil {
			return fmt.Errorf("create %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
}
