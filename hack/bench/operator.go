package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/controlplane/lifeline"
)

// operator is a running process of it.
type operator struct {
	cmd                           *exec.Cmd
	scim, probe, profile, metrics string
	http                          *http.Client
	// made is how many people were created through it who are not of those that the stage was filled with.
	made int
	// took is how long it was from its start until it was ready.
	took time.Duration
}

// startOperator returns when the operator is ready.
func (s *stage) startOperator(ctx context.Context, flags ...string) (*operator, error) {
	o := &operator{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}}}
	for _, address := range []*string{&o.scim, &o.probe, &o.profile, &o.metrics} {
		var err error
		if *address, err = controlplane.FreeAddress(ctx); err != nil {
			return nil, err
		}
	}
	path, err := lifeline.Wrap(s.dir, s.binary)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(s.dir, "operator.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	o.cmd = exec.Command(path, append([]string{
		"--scim-bind-address=" + o.scim, "--external-url=http://" + o.scim, "--health-probe-bind-address=" + o.probe,
		"--pprof-bind-address=" + o.profile, "--metrics-bind-address=" + o.metrics, "--requests-per-second=0",
	}, flags...)...)
	o.cmd.Env = append(os.Environ(), "KUBECONFIG="+s.operatorKubeconfig)
	o.cmd.Stdout, o.cmd.Stderr = log, log
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	began := time.Now()
	if err := o.cmd.Start(); err != nil {
		return nil, err
	}
	if err := o.untilReady(ctx); err != nil {
		o.stop()
		return nil, err
	}
	o.took = time.Since(began)
	return o, nil
}

func (o *operator) untilReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	for {
		if status, _, err := o.do(ctx, http.MethodGet, "http://"+o.probe+"/readyz", nil); err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the operator is not ready: %w", ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stop ends the operator and what watches over it.
func (o *operator) stop() {
	_ = syscall.Kill(-o.cmd.Process.Pid, syscall.SIGKILL) // it fails when none is left
	_ = o.cmd.Wait()
	o.http.CloseIdleConnections()
}

func (o *operator) do(ctx context.Context, method, url string, body []byte) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/scim+json")
	response, err := o.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// ask sends one SCIM request and wants that status.
func (o *operator) ask(ctx context.Context, want int, method, directory, path string, body []byte) ([]byte, error) {
	return o.askIn(ctx, namespace, want, method, directory, path, body)
}

func (o *operator) askIn(ctx context.Context, namespace string, want int, method, directory, path string, body []byte) ([]byte, error) {
	status, answer, err := o.do(ctx, method, "http://"+o.scim+"/scim/v2/"+namespace+"/"+directory+path, body)
	if err == nil && status != want {
		err = fmt.Errorf("%s %s: %d %s", method, path, status, answer)
	}
	return answer, err
}

// listed is what of a list is looked at.
type listed struct {
	TotalResults int `json:"totalResults"`
	Resources    []struct {
		ID string `json:"id"`
	} `json:"Resources"`
}

func (o *operator) list(ctx context.Context, directory, query string) (l listed, err error) {
	answer, err := o.ask(ctx, http.StatusOK, http.MethodGet, directory, "/Users?"+query, nil)
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(answer, &l)
}

var heapAlloc = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`)

// heapBytes is what the operator holds after a garbage collection.
func (o *operator) heapBytes(ctx context.Context) (float64, error) {
	_, profile, err := o.do(ctx, http.MethodGet, "http://"+o.profile+"/debug/pprof/heap?gc=1&debug=1", nil)
	if err != nil {
		return 0, err
	}
	found := heapAlloc.FindSubmatch(profile)
	if found == nil {
		return 0, fmt.Errorf("no HeapAlloc in the profile of the operator")
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
