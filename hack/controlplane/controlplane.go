// Package controlplane runs etcd and kube-apiserver as child processes for development and tests, with
// nothing installed. There is no kubelet, no garbage collector and no namespace controller.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/scim-operator/scim-operator/hack/controlplane/lifeline"
)

// startTimeout is for one server on a busy machine; on an idle one both need a few seconds.
const startTimeout = time.Minute

// Options say where a control plane finds and keeps things.
type Options struct {
	// Root is the folder of the module; by default the one that the working directory is in.
	Root string
	// DataDir keeps the state, the certificate authority and the port for the next start.
	// By default a temporary folder, which Stop removes.
	DataDir string
	// Progress is told what takes time; by default nobody is.
	Progress io.Writer
}

// ControlPlane is a running etcd and kube-apiserver. Both end with this process at the latest.
type ControlPlane struct {
	// Config is an administrator's.
	Config *rest.Config
	// Kubectl is the path of a kubectl of the same version.
	Kubectl string

	root  string
	env   *envtest.Environment
	place place
	logs  []io.Closer
}

// Start runs a control plane and returns when it serves the CRDs in config/crd/bases, or with an error that
// ends with the servers' last words.
func Start(ctx context.Context, options Options) (*ControlPlane, error) {
	if options.Root == "" {
		root, err := Root()
		if err != nil {
			return nil, err
		}
		options.Root = root
	}
	if options.Progress == nil {
		options.Progress = io.Discard
	}
	assets, err := Assets(ctx, options.Root, options.Progress)
	if err != nil {
		return nil, err
	}
	place, err := choosePlace(options.DataDir)
	if err != nil {
		return nil, err
	}
	plane, err := start(assets, place, options.Root)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, plane.Stop())
	}
	return plane, nil
}

// start always returns what is to be stopped.
func start(assets string, place place, root string) (*ControlPlane, error) {
	plane := &ControlPlane{Kubectl: filepath.Join(assets, "kubectl"), root: root, place: place, env: &envtest.Environment{
		UseExistingCluster:       new(bool),
		ControlPlaneStartTimeout: startTimeout,
		CRDDirectoryPaths:        []string{CRDs(root)},
	}}
	port, err := plane.configure(assets)
	if err != nil {
		return plane, err
	}
	if plane.Config, err = plane.env.Start(); err != nil {
		return plane, fmt.Errorf("%w\n%s", err, place.lastWords())
	}
	return plane, port.remember(plane.env.ControlPlane.APIServer.Port)
}

// configure lays out dir: etcd (state), pki (certificate authority), run (made anew at each start), logs, port.
func (c *ControlPlane) configure(assets string) (portFile, error) {
	dir := c.place.dir
	run, state, port := filepath.Join(dir, "run"), filepath.Join(dir, "etcd"), portFile(filepath.Join(dir, "port"))
	if err := os.RemoveAll(run); err != nil {
		return port, err
	}
	for _, folder := range []string{run, state} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return port, err
		}
	}
	authority, err := openAuthority(filepath.Join(dir, "pki"))
	if err != nil {
		return port, err
	}
	if err := authority.serve(run); err != nil {
		return port, err
	}

	etcd, server := &envtest.Etcd{DataDir: state}, &envtest.APIServer{CertDir: run}
	server.CA, server.Authn = authority.bundle(), authority
	server.ListenAddr = envtest.ListenAddr{Address: "127.0.0.1", Port: port.free()}
	// Without these kube-apiserver wants a default route, which a machine without network lacks.
	server.Configure().Set("advertise-address", "127.0.0.1").Set("endpoint-reconciler-type", "none")
	audit, err := auditFlags(run)
	if err != nil {
		return port, err
	}
	for flag, value := range audit {
		server.Configure().Set(flag, value)
	}
	c.env.ControlPlane = envtest.ControlPlane{Etcd: etcd, APIServer: server, KubectlPath: c.Kubectl}

	if etcd.Path, err = lifeline.Wrap(run, filepath.Join(assets, "etcd"), c.place.temporary...); err != nil {
		return port, err
	}
	if server.Path, err = lifeline.Wrap(run, filepath.Join(assets, "kube-apiserver")); err != nil {
		return port, err
	}
	if etcd.Err, err = c.openLog(etcdLog); err != nil {
		return port, err
	}
	server.Err, err = c.openLog(serverLog)
	return port, err
}

func (c *ControlPlane) openLog(name string) (io.Writer, error) {
	log, err := os.Create(filepath.Join(c.place.dir, name))
	if err != nil {
		return nil, err
	}
	c.logs = append(c.logs, log)
	return log, nil
}

// CRDs returns the folder of the generated CRDs below root.
func CRDs(root string) string {
	return filepath.Join(root, "config", "crd", "bases")
}

// User returns the configuration of a client that is authenticated as the user and the groups; RBAC says what
// it may do. Its requests are not throttled. It returns an error when no certificate can be signed.
func (c *ControlPlane) User(name string, groups ...string) (*rest.Config, error) {
	user, err := c.env.AddUser(envtest.User{Name: name, Groups: groups}, &rest.Config{QPS: -1})
	if err != nil {
		return nil, err
	}
	return user.Config(), nil
}

// Kubeconfig returns the same as User, as the content of a kubeconfig file.
func (c *ControlPlane) Kubeconfig(name string, groups ...string) ([]byte, error) {
	user, err := c.env.AddUser(envtest.User{Name: name, Groups: groups}, nil)
	if err != nil {
		return nil, err
	}
	return user.KubeConfig()
}

// Stop ends both servers, and removes the state unless a DataDir keeps it. It returns an error when a server
// had to be killed.
func (c *ControlPlane) Stop() error {
	errs := []error{c.env.Stop()}
	for _, log := range c.logs {
		errs = append(errs, log.Close())
	}
	return errors.Join(append(errs, c.place.cleanUp())...)
}

// StartAPIServerAgain starts kube-apiserver at the same address after somebody has killed it. It returns an error when it
// does not start.
func (c *ControlPlane) StartAPIServerAgain() error {
	server := c.env.ControlPlane.GetAPIServer()
	_ = server.Stop() // it waits for what is left of the process; that it has ended already is no failure
	return server.Start()
}
