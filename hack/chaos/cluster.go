package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/controlplane/lifeline"
)

const (
	namespace = "chaos"
	directory = "idp"
	token     = "chaos-token-0123456789-0123456789-0123456789"
	replicas  = 3
)

// cluster is a control plane and the replicas of the operator on it.
type cluster struct {
	plane    *controlplane.ControlPlane
	admin    client.Client
	replicas []*replica
	out      string

	mu     sync.Mutex
	faults map[string]int
}

// replica is one process of the operator, which is started again at the same addresses.
type replica struct {
	name, scim, probe string
	path, kubeconfig  string
	news              *news
	log               *os.File
	cmd               *exec.Cmd
}

func startCluster(ctx context.Context, binary, out string) (_ *cluster, err error) {
	if binary, err = filepath.Abs(binary); err != nil {
		return nil, err
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{Progress: os.Stderr})
	if err != nil {
		return nil, err
	}
	c := &cluster{plane: plane, out: out, faults: map[string]int{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	if err := c.furnish(ctx); err != nil {
		return nil, err
	}
	path, err := lifeline.Wrap(out, binary)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := plane.AccountKubeconfig(controlplane.OperatorAccount)
	if err != nil {
		return nil, err
	}
	operator, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, err
	}
	for i := range replicas {
		r := &replica{name: fmt.Sprintf("replica-%d", i), path: path}
		if r.news, err = listenForNews(operator); err != nil {
			return nil, err
		}
		r.kubeconfig = filepath.Join(out, r.name+".kubeconfig")
		if err := os.WriteFile(r.kubeconfig, r.news.kubeconfig(), 0o600); err != nil {
			return nil, err
		}
		if r.log, err = os.Create(filepath.Join(out, r.name+".log")); err != nil {
			return nil, err
		}
		for _, address := range []*string{&r.scim, &r.probe} {
			if *address, err = controlplane.FreeAddress(ctx); err != nil {
				return nil, err
			}
		}
		c.replicas = append(c.replicas, r)
		if err := r.start(); err != nil {
			return nil, err
		}
	}
	return c, c.untilReady(ctx)
}

func (c *cluster) furnish(ctx context.Context) error {
	if err := errors.Join(c.plane.GiveRights(ctx), c.plane.Guard(ctx)); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return err
	}
	var err error
	if c.admin, err = client.New(c.plane.Config, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: name} }
	d := &v1alpha1.ScimDirectory{ObjectMeta: named(directory)}
	d.Spec.Primary = true
	d.Spec.Tokens = []v1alpha1.DirectoryToken{{Name: "idp", SecretRef: v1alpha1.SecretReference{Name: "idp"}}}
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}},
		&corev1.Secret{ObjectMeta: named("idp"), Type: v1alpha1.TokenSecretType, StringData: map[string]string{"token": token}},
		d,
		&v1alpha1.AppRole{ObjectMeta: named("member"), Spec: v1alpha1.AppRoleSpec{Default: true}},
	} {
		if err := c.admin.Create(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

func (r *replica) start() error {
	r.cmd = exec.Command(r.path,
		"--scim-bind-address="+r.scim, "--external-url=http://"+r.scim, "--health-probe-bind-address="+r.probe,
		"--metrics-bind-address=0", "--requests-per-second=0", "--leader-elect", "--leader-election-namespace="+controlplane.OperatorNamespace)
	r.cmd.Env = append(os.Environ(), "KUBECONFIG="+r.kubeconfig)
	r.cmd.Stdout, r.cmd.Stderr = r.log, r.log
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return r.cmd.Start()
}

// kill ends the process as a power cut would.
func (r *replica) kill() {
	_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) // it fails when it has ended by itself
	_ = r.cmd.Wait()
}

// revive starts a replica that has ended: one that loses the leader's lease ends by itself, as its pod would be restarted.
func (r *replica) revive() error {
	if syscall.Kill(r.cmd.Process.Pid, 0) == nil && !zombie(r.cmd.Process.Pid) {
		return nil
	}
	r.kill()
	return r.start()
}

func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func (c *cluster) untilReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, r := range c.replicas {
		for {
			if err := r.revive(); err != nil {
				return err
			}
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.probe+"/readyz", nil)
			if err != nil {
				return err
			}
			if response, err := http.DefaultClient.Do(request); err == nil {
				response.Body.Close()
				if response.StatusCode == http.StatusOK {
					break
				}
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s is not ready, see %s", r.name, r.log.Name())
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}

// torment lets one fault follow another until ctx ends; then everything runs again.
func (c *cluster) torment(ctx context.Context, random *rand.Rand) error {
	for ctx.Err() == nil {
		wait(ctx, time.Duration(200+random.IntN(1500))*time.Millisecond)
		r := c.replicas[random.IntN(len(c.replicas))]
		long := time.Duration(100+random.IntN(3000)) * time.Millisecond
		var err error
		switch random.IntN(11) {
		case 0, 1, 2:
			c.count("kill -9 of a replica")
			r.kill()
			wait(ctx, long/3)
			err = r.start()
		case 3, 4, 5:
			c.count("pause of a replica")
			err = c.pause(ctx, r.cmd.Process.Pid, long)
		case 6:
			c.count("pause of etcd")
			err = c.pauseServer(ctx, "etcd", long)
		case 7:
			c.count("kill -9 of the API server")
			err = c.restartAPIServer()
		default:
			c.count("delay of what a replica watches")
			release := r.news.hold()
			wait(ctx, long/2)
			release()
		}
		if err != nil {
			return err
		}
		for _, r := range c.replicas {
			if err := r.revive(); err != nil {
				return err
			}
		}
	}
	return nil
}

// recover waits until all replicas serve again.
func (c *cluster) recover(ctx context.Context) error { return c.untilReady(ctx) }

func (c *cluster) restartAPIServer() error {
	pid, err := childNamed("kube-apiserver")
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	return c.plane.StartAPIServerAgain()
}

func (c *cluster) pauseServer(ctx context.Context, name string, d time.Duration) error {
	pid, err := childNamed(name)
	if err != nil {
		return err
	}
	return c.pause(ctx, pid, d)
}

func (c *cluster) pause(ctx context.Context, pid int, d time.Duration) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return nil //nolint:nilerr // it has ended by itself, which is a fault too
	}
	wait(ctx, d)
	return ignoreGone(syscall.Kill(pid, syscall.SIGCONT))
}

func ignoreGone(err error) error {
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// childNamed is the process id of the server of that name which this process has started.
func childNamed(name string) (int, error) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, p := range processes {
		stat, err := os.ReadFile(filepath.Join(p, "stat"))
		if err != nil {
			continue // it has ended
		}
		var pid, parent int
		var state, command string
		if _, err := fmt.Sscanf(string(stat), "%d %s %s %d", &pid, &command, &state, &parent); err != nil {
			continue
		}
		if parent == os.Getpid() && command == "("+name+")" {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("no process %s was started from here", name)
}

func (c *cluster) count(fault string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults[fault]++
}

func (c *cluster) summary() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var said []string
	for fault, times := range c.faults {
		said = append(said, fmt.Sprintf("%d × %s", times, fault))
	}
	return "faults: " + strings.Join(said, ", ")
}

func (c *cluster) stop() error {
	for _, r := range c.replicas {
		if r.cmd != nil && r.cmd.Process != nil {
			r.kill()
		}
		_ = errors.Join(r.log.Close(), r.news.server.Close())
	}
	return c.plane.Stop()
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
