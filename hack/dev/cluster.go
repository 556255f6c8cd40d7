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

// cluster is where the operator runs.
type cluster struct {
	plane              *controlplane.ControlPlane // none if the user has given a cluster
	config             *rest.Config               // an administrator's
	kubeconfig         string                     // the same, for the user
	operatorKubeconfig string
	kubectl            string
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
		plane:              plane,
		config:             plane.Config,
		kubeconfig:         filepath.Join(s.dir, "kubeconfig"),
		operatorKubeconfig: filepath.Join(s.dir, "operator.kubeconfig"),
		kubectl:            plane.Kubectl,
		stop: func() {
			if err := plane.Stop(); err != nil {
				fmt.Fprintln(os.Stderr, "make run: stop the control plane:", err)
			}
		},
	}
	if err := c.writeKubeconfigs(); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// writeKubeconfigs writes an administrator's, and the operator's, who may do what config/rbac says and nothing else.
func (c *cluster) writeKubeconfigs() error {
	administrator, err := c.plane.Kubeconfig("administrator", "system:masters")
	if err != nil {
		return err
	}
	operator, err := c.plane.AccountKubeconfig(controlplane.OperatorAccount)
	if err != nil {
		return err
	}
	return errors.Join(writeFile(c.kubeconfig, administrator), writeFile(c.operatorKubeconfig, operator))
}

// prepare installs what the operator needs, and the sample unless it is there already: it may have been edited.
func (c *cluster) prepare(ctx context.Context, root string) error {
	if c.plane != nil {
		if err := errors.Join(c.plane.GiveRights(ctx), c.plane.Guard(ctx)); err != nil {
			return err
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
