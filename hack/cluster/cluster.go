// Package cluster makes a whole cluster of a control plane for tests: kube-controller-manager, kube-scheduler, and nodes that
// kwok plays, so that Deployments get Pods, what is owned is collected, and namespaces end, as they do for users. No container
// runs: on a node of kwok each Pod runs and is ready as soon as it is scheduled. Whoever starts a cluster runs what should be in
// the containers, says where its ports are, and writes its log, which `kubectl port-forward` and `kubectl logs` then reach.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	certutil "k8s.io/client-go/util/cert"
	"sigs.k8s.io/yaml"

	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/controlplane/lifeline"
	"github.com/scim-operator/scim-operator/hack/controlplane/programs"
)

// readyTimeout is for a busy machine; on an idle one the nodes are ready within seconds.
const readyTimeout = time.Minute

// nodes are the names of the nodes: two, so that replicas can be spread.
var nodes = []string{"node-a", "node-b"}

// Options say what is in the containers of a cluster.
type Options struct {
	// Ports are those of containers that can be forwarded, each with the address on this machine that it leads to.
	Ports map[int]string
	// Progress is told what takes time; by default nobody is.
	Progress io.Writer
}

// Cluster is what runs beside a control plane. It ends with this process at the latest.
type Cluster struct {
	// Log is where to write what `kubectl logs` shows of every container. It may be written by one process at a time.
	Log io.Writer

	dir       string
	log       *os.File
	processes []*lifeline.Process
}

// Start makes a cluster of a control plane, and returns when its nodes are ready. It builds the programs first if need be, which
// takes minutes. It returns an error when that fails, when a program does not run, or when ctx ends.
func Start(ctx context.Context, plane *controlplane.ControlPlane, options Options) (*Cluster, error) {
	if options.Progress == nil {
		options.Progress = io.Discard
	}
	root, err := controlplane.Root()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "scim-operator-cluster-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir}
	if c.log, err = os.Create(filepath.Join(dir, "containers.log")); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	c.Log = &log{to: c.log}
	if err := c.start(ctx, root, plane, options); err != nil {
		return nil, errors.Join(err, c.lastWords(), c.Stop())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, root string, plane *controlplane.ControlPlane, options Options) error {
	kubeconfig := filepath.Join(c.dir, "kubeconfig")
	content, err := plane.Kubeconfig("cluster", "system:masters")
	if err != nil {
		return err
	}
	if err := os.WriteFile(kubeconfig, content, 0o600); err != nil {
		return err
	}
	kubernetesSource := filepath.Join(root, "hack", "controlplane", "source")
	for _, name := range []string{"kube-controller-manager", "kube-scheduler"} {
		source := programs.Source{Name: name, Module: kubernetesSource, Package: "k8s.io/kubernetes/cmd/" + name}
		err := c.run(ctx, root, source, options.Progress, "--kubeconfig="+kubeconfig, "--leader-elect=false", "--secure-port=0")
		if err != nil {
			return err
		}
	}
	arguments, err := c.configureNodes(ctx, root, options)
	if err != nil {
		return err
	}
	source := programs.Source{Name: "kwok", Module: filepath.Join(root, "hack", "cluster", "source"), Package: "sigs.k8s.io/kwok/cmd/kwok"}
	if err := c.run(ctx, root, source, options.Progress, append(arguments, "--kubeconfig="+kubeconfig)...); err != nil {
		return err
	}
	return c.addNodes(ctx, plane)
}

func (c *Cluster) run(ctx context.Context, root string, source programs.Source, progress io.Writer, arguments ...string) error {
	program, err := source.Program(ctx, root, progress)
	if err != nil {
		return err
	}
	command := exec.Command(program, arguments...)
	command.Dir = c.dir
	process, err := lifeline.Start(c.dir, command, c.dir)
	if err != nil {
		return err
	}
	c.processes = append(c.processes, process)
	return nil
}

// configureNodes returns the arguments of kwok.
func (c *Cluster) configureNodes(ctx context.Context, root string, options Options) ([]string, error) {
	type object map[string]any
	type forward struct {
		Ports  []int  `json:"ports"`
		Target object `json:"target"`
	}
	var forwards []forward
	for port, address := range options.Ports {
		host, number, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		target, err := strconv.Atoi(number)
		if err != nil {
			return nil, err
		}
		forwards = append(forwards, forward{Ports: []int{port}, Target: object{"address": host, "port": target}})
	}
	var documents []byte
	for kind, spec := range map[string]object{
		"ClusterLogs":        {"logs": []object{{"logsFile": c.log.Name(), "previousLogsFile": c.log.Name(), "follow": true}}},
		"ClusterPortForward": {"forwards": forwards},
	} {
		document, err := yaml.Marshal(object{"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": kind, "metadata": object{"name": "all"}, "spec": spec})
		if err != nil {
			return nil, err
		}
		documents = append(append(documents, "---\n"...), document...)
	}
	own := filepath.Join(c.dir, "kwok.yaml")
	if err := os.WriteFile(own, documents, 0o600); err != nil {
		return nil, err
	}
	stages, err := stages(ctx, root)
	if err != nil {
		return nil, err
	}
	address, err := controlplane.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	certificate, key, err := c.certificate(host)
	if err != nil {
		return nil, err
	}
	arguments := []string{
		"--config=" + own, "--manage-all-nodes", "--node-ip=" + host, "--node-port=" + port, "--server-address=" + address,
		"--node-lease-duration-seconds=40", "--tls-cert-file=" + certificate, "--tls-private-key-file=" + key,
	}
	for _, stage := range stages {
		arguments = append(arguments, "--config="+stage)
	}
	return arguments, nil
}

// certificate writes one by which the API server reaches the nodes, and its key.
func (c *Cluster) certificate(host string) (certificate, key string, err error) {
	certificatePEM, keyPEM, err := certutil.GenerateSelfSignedCertKey(host, nil, nil)
	if err != nil {
		return "", "", err
	}
	certificate, key = filepath.Join(c.dir, "kwok.crt"), filepath.Join(c.dir, "kwok.key")
	return certificate, key, errors.Join(os.WriteFile(certificate, certificatePEM, 0o600), os.WriteFile(key, keyPEM, 0o600))
}

// stages are the files in kwok's module that say how nodes and Pods go on.
func stages(ctx context.Context, root string) ([]string, error) {
	command := exec.CommandContext(ctx, "go", "list", "-m", "-f={{.Dir}}", "sigs.k8s.io/kwok")
	command.Dir = filepath.Join(root, "hack", "cluster", "source")
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("find kwok's module: %w", err)
	}
	folder := filepath.Join(strings.TrimSpace(string(out)), "kustomize", "stage")
	return []string{
		filepath.Join(folder, "node", "fast", "node-initialize.yaml"),
		filepath.Join(folder, "node", "heartbeat-with-lease", "node-heartbeat-with-lease.yaml"),
		filepath.Join(folder, "pod", "fast", "pod-ready.yaml"),
		filepath.Join(folder, "pod", "fast", "pod-complete.yaml"),
		filepath.Join(folder, "pod", "fast", "pod-delete.yaml"),
	}, nil
}

func (c *Cluster) addNodes(ctx context.Context, plane *controlplane.ControlPlane) error {
	clients, err := kubernetes.NewForConfig(plane.Config)
	if err != nil {
		return err
	}
	for _, name := range nodes {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}}}
		if _, err := clients.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, readyTimeout, true, func(ctx context.Context) (bool, error) {
		list, err := clients.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		for _, node := range list.Items {
			if len(node.Spec.Taints) > 0 || len(node.Status.Conditions) == 0 {
				return false, nil
			}
		}
		return true, nil
	})
}

// lastWords is an error with what the programs said last.
func (c *Cluster) lastWords() error {
	var errs []error
	for _, process := range c.processes {
		log, err := os.ReadFile(process.Log)
		errs = append(errs, err, fmt.Errorf("%s:\n%s", filepath.Base(process.Log), programs.LastLines(log, 10)))
	}
	return errors.Join(errs...)
}

// Stop ends what Start began. It returns an error when a program had to be killed.
func (c *Cluster) Stop() error {
	var errs []error
	for _, process := range c.processes {
		errs = append(errs, process.Stop())
	}
	return errors.Join(append(errs, c.log.Close(), os.RemoveAll(c.dir))...)
}
