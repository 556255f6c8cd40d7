package operator

import (
	"net/http"
	"os"
	"os/exec"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

// Process is one running operator. It ends with the spec at the latest.
type Process struct {
	// URL is the address under which it serves SCIM.
	URL string
	// Exited is closed when the process has ended; then Failure says how.
	Exited  chan struct{}
	Failure error
	// Log is what it writes.
	Log *gbytes.Buffer

	command *exec.Cmd
	ready   string
	make    func() *exec.Cmd
}

// Launch starts the operator; address is where it serves SCIM.
func (i *Installation) Launch(address string, flags ...string) *Process {
	ginkgo.GinkgoHelper()
	return i.LaunchAs(controlplane.OperatorAccount, address, flags...)
}

// LaunchAs starts the operator as one of its ServiceAccounts: Server or Controllers, which have rights of their own by Split.
func (i *Installation) LaunchAs(account, address string, flags ...string) *Process {
	ginkgo.GinkgoHelper()
	probe := FreeAddress()
	p := &Process{URL: "http://" + address, Log: gbytes.NewBuffer(), ready: "http://" + probe + "/readyz"}
	p.make = func() *exec.Cmd {
		return i.commandAs(account, append([]string{
			"--scim-bind-address=" + address, "--external-url=" + p.URL,
			"--health-probe-bind-address=" + probe, "--metrics-bind-address=0", "--requests-per-second=0",
		}, flags...)...)
	}
	p.Start()
	ginkgo.DeferCleanup(func() {
		p.Kill()
		if ginkgo.CurrentSpecReport().Failed() {
			ginkgo.AddReportEntry("operator.log", string(p.Log.Contents()))
		}
	})
	return p
}

// Start starts it, again after it has ended.
func (p *Process) Start() {
	ginkgo.GinkgoHelper()
	command, exited := p.make(), make(chan struct{})
	command.Stdout, command.Stderr = p.Log, p.Log
	gomega.Expect(command.Start()).To(gomega.Succeed())
	p.command, p.Exited = command, exited
	go func() {
		defer close(exited)
		p.Failure = command.Wait()
	}()
}

// Signal reaches the process, unless it has ended.
func (p *Process) Signal(signal os.Signal) { _ = p.command.Process.Signal(signal) }

// Kill ends the process, and returns when it has ended.
func (p *Process) Kill() {
	ginkgo.GinkgoHelper()
	p.Signal(os.Kill)
	gomega.Eventually(p.Exited).Should(gomega.BeClosed())
}

// UntilReady returns when it says that it serves.
func (p *Process) UntilReady() *Process {
	ginkgo.GinkgoHelper()
	gomega.Eventually(func(g gomega.Gomega) {
		response, err := http.Get(p.ready)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		defer response.Body.Close()
		g.Expect(response.StatusCode).To(gomega.Equal(http.StatusOK))
	}).Should(gomega.Succeed())
	return p
}
