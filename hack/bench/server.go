package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane/lifeline"
)

// The arguments with which this program is nothing but an HTTP server, in a process of its own.
const (
	// bareServer gives every request the same answer from memory: the most that HTTP allows for.
	bareServer = "bare-server"
	// bareCreator creates the person that a request holds, and checks nothing: the least that a POST can cost.
	bareCreator = "bare-creator"
	// bareVerifier answers when an informer of its own shows the person: the least that a POST can cost where several replicas
	// may create the same person.
	bareVerifier = "bare-verifier"
)

// verifiedNamespace is where bareVerifier creates: what others create elsewhere, its informer does not have to read.
const verifiedNamespace = "verified"

// serveBare reads the answer from its input, and tells on its output where it listens.
func serveBare() error {
	answer, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	return serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json;charset=utf-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer) // a client that is gone needs no answer
	})
}

// serveCreations creates copies of ScimUsers on the cluster of KUBECONFIG, and tells on its output where it listens.
func serveCreations() error {
	return serveCreationsShown(nil)
}

// serveVerifiedCreations does so too, and answers when its informer shows the copy.
func serveVerifiedCreations() error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	if err := addBareKinds(scheme); err != nil {
		return err
	}
	informers, err := cache.New(config, cache.Options{Scheme: scheme, DefaultNamespaces: map[string]cache.Config{verifiedNamespace: {}}})
	if err != nil {
		return err
	}
	ctx := context.Background()
	informer, err := informers.GetInformer(ctx, &v1alpha1.ScimUser{})
	if err != nil {
		return err
	}
	var shown arrivals
	if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{AddFunc: shown.add}); err != nil {
		return err
	}
	go func() { _ = informers.Start(ctx) }() // it ends with this process
	if !informers.WaitForCacheSync(ctx) {
		return errors.New("the informer does not sync")
	}
	return serveCreationsShown(&shown)
}

// arrivals are the names for which somebody waits, each with the channel that is closed when it arrives.
type arrivals struct{ waiting sync.Map }

func (a *arrivals) of(name string) <-chan struct{} {
	arrived := make(chan struct{})
	a.waiting.Store(name, arrived)
	return arrived
}

func (a *arrivals) add(object any) {
	if arrived, waited := a.waiting.LoadAndDelete(object.(*v1alpha1.ScimUser).Name); waited {
		close(arrived.(chan struct{}))
	}
}

func serveCreationsShown(shown *arrivals) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	config.QPS = -1
	c, err := newClient(config, addBareKinds)
	if err != nil {
		return err
	}
	return serve(func(w http.ResponseWriter, r *http.Request) {
		var resource struct {
			v1alpha1.UserAttributes
			Enterprise *v1alpha1.EnterpriseUser `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
		}
		if err := json.NewDecoder(r.Body).Decode(&resource); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		u := &v1alpha1.ScimUser{ObjectMeta: named(uuid.Must(uuid.NewV7()).String())}
		u.Spec.DirectoryRef.Name = written
		u.Spec.UserAttributes, u.Spec.Enterprise = resource.UserAttributes, resource.Enterprise
		var arrived <-chan struct{}
		if shown != nil {
			u.Namespace = verifiedNamespace
			arrived = shown.of(u.Name)
		}
		if err := c.Create(r.Context(), u); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		if arrived != nil {
			<-arrived
		}
		w.Header().Set("Content-Type", "application/scim+json;charset=utf-8")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(resource) // a client that is gone needs no answer
	})
}

func serve(answer http.HandlerFunc) error {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Println(listener.Addr()); err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: answer}
	return server.Serve(listener)
}

// startBareServer starts this program again as one of these servers, which reads input. What it returns is asked, and
// stopped, as the operator is.
func (s *stage) startBareServer(which string, input []byte) (*operator, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	path, err := lifeline.Wrap(s.dir, self)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, which)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.bareKubeconfig)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	o := &operator{cmd: cmd, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}}}
	if _, err := fmt.Fscanln(stdout, &o.scim); err != nil {
		o.stop()
		return nil, fmt.Errorf("the bare server does not tell where it listens: %w", err)
	}
	return o, nil
}
