// Package openfga runs a real OpenFGA server as a child process for tests, with nothing installed. It keeps everything
// in memory.
package openfga

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/controlplane/lifeline"
	"github.com/scim-operator/scim-operator/hack/controlplane/programs"
)

// startTimeout is for a busy machine; an idle one needs less than a second.
const startTimeout = time.Minute

// Options say how a server is started.
type Options struct {
	// Root is the folder of our module; by default the one that the working directory is in.
	Root string
	// Address is where the server serves HTTP; by default any free address of this machine. With the one of a server
	// that was stopped, a new and empty server takes its place.
	Address string
	// Token is what clients must send as bearer token; by default anybody may do anything.
	Token string
	// Progress is told what takes time; by default nobody is.
	Progress io.Writer
}

// Server is a running OpenFGA. It ends with this process at the latest.
type Server struct {
	// URL is the address of the HTTP API.
	URL string
	// Address is the host and port in it.
	Address string

	token   string
	dir     string
	process *lifeline.Process
}

// Start runs a server and returns when it serves. It builds the program first if need be, which takes minutes. It
// returns an error when that fails, when somebody listens at the address, when the server does not start (then with what
// it said last), or when ctx ends.
func Start(ctx context.Context, options Options) (*Server, error) {
	if options.Root == "" {
		root, err := controlplane.Root()
		if err != nil {
			return nil, err
		}
		options.Root = root
	}
	if options.Progress == nil {
		options.Progress = io.Discard
	}
	source := programs.Source{
		Name:    "openfga",
		Module:  filepath.Join(options.Root, "hack", "openfga", "source"),
		Package: "github.com/openfga/openfga/cmd/openfga",
	}
	program, err := source.Program(ctx, options.Root, options.Progress)
	if err != nil {
		return nil, err
	}
	if options.Address == "" {
		options.Address, err = controlplane.FreeAddress(ctx)
	} else {
		err = free(ctx, options.Address)
	}
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "scim-operator-openfga-")
	if err != nil {
		return nil, err
	}
	server := &Server{URL: "http://" + options.Address, Address: options.Address, token: options.Token, dir: dir}
	if err := server.launch(ctx, program); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := server.wait(ctx); err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return server, nil
}

func (s *Server) launch(ctx context.Context, program string) error {
	grpc, err := controlplane.FreeAddress(ctx)
	if err != nil {
		return err
	}
	command := exec.Command(program, "run", "--datastore-engine=memory", "--http-addr="+s.Address, "--grpc-addr="+grpc,
		"--playground-enabled=false", "--metrics-enabled=false", "--profiler-enabled=false", "--log-level=error")
	if s.token != "" {
		command.Args = append(command.Args, "--authn-method=preshared", "--authn-preshared-keys="+s.token)
	}
	command.Dir = s.dir // a configuration in the working directory would be read
	command.Env = ownSettingsOnly(os.Environ())
	s.process, err = lifeline.Start(s.dir, command, s.dir)
	return err
}

// free returns an error when somebody listens at the address, who could be taken for the new server.
func free(ctx context.Context, address string) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("start OpenFGA: %w: stop who is there, or choose another address", err)
	}
	return listener.Close()
}

// ownSettingsOnly drops the variables that OpenFGA takes settings from.
func ownSettingsOnly(environment []string) []string {
	var kept []string
	for _, variable := range environment {
		if !strings.HasPrefix(variable, "OPENFGA_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

func (s *Server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !s.healthy(ctx) {
		select {
		case <-s.process.Exited:
			return fmt.Errorf("OpenFGA ended instead of serving at %s:\n%s", s.Address, s.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("OpenFGA does not serve at %s: %w\n%s", s.Address, ctx.Err(), s.lastWords())
		case <-tick.C:
		}
	}
	return nil
}

func (s *Server) healthy(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/healthz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (s *Server) lastWords() []byte {
	log, err := os.ReadFile(s.process.Log)
	if err != nil {
		return nil
	}
	return programs.LastLines(log, 10)
}

// Pause lets requests wait until Resume, as if the network lost them. It returns an error when the server has ended.
func (s *Server) Pause() error {
	if err := s.process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	// A thread on another processor goes on for a moment.
	for answers := true; answers; {
		soon, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		answers = s.healthy(soon)
		cancel()
	}
	return nil
}

// Resume ends what Pause began. It returns an error when the server has ended.
func (s *Server) Resume() error { return s.process.Signal(syscall.SIGCONT) }

// Stop ends the server, with all it kept; a second time it does nothing. It returns an error when the server had to be
// killed.
func (s *Server) Stop() error { return errors.Join(s.process.Stop(), os.RemoveAll(s.dir)) }
