package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	k8sruntime "k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// bareInformer is the argument with which this program is nothing but an informer of users and groups, in a process of its
// own: what the operator's start and memory are compared with.
const bareInformer = "bare-informer"

// synced is what the bare informer tells.
type synced struct {
	Seconds   float64 `json:"seconds"`
	HeapBytes float64 `json:"heapBytes"`
}

func syncBareInformer() error {
	began := time.Now()
	scheme := k8sruntime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	config.QPS = -1
	c, err := cache.New(config, cache.Options{Scheme: scheme, DefaultTransform: cache.TransformStripManagedFields()})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if _, err := c.GetInformer(ctx, &v1alpha1.ScimUser{}); err != nil {
		return err
	}
	if _, err := c.GetInformer(ctx, &v1alpha1.ScimMemberSlice{}); err != nil {
		return err
	}
	go func() { _ = c.Start(ctx) }() // it ends with the process
	if !c.WaitForCacheSync(ctx) {
		return fmt.Errorf("the bare informer did not sync")
	}
	s := synced{Seconds: time.Since(began).Seconds()}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.HeapBytes = float64(m.HeapAlloc)
	return json.NewEncoder(os.Stdout).Encode(s)
}

// runBareInformer starts this program again as a bare informer and returns what it told when it had synced.
func runBareInformer(ctx context.Context, kubeconfig string) (s synced, err error) {
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	cmd := exec.CommandContext(ctx, self, bareInformer)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return s, fmt.Errorf("the bare informer: %w", err)
	}
	return s, json.Unmarshal(out, &s)
}
