package targets_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/hack/operator"
)

// The specs of this package run the operator as a process, as its own ServiceAccount, and make AppMemberships as an
// administrator would; what follows is read in the systems themselves.
var (
	installation *operator.Installation
	running      *operator.Process
	k8s          client.Client
)

// interval is how often the operator reads each system; drift is corrected within it.
const interval = 2 * time.Second

func TestTargets(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	SetDefaultConsistentlyDuration(1500 * time.Millisecond)
	RunSpecs(t, "Targets")
}

var _ = BeforeSuite(func(ctx context.Context) {
	installation = operator.Install(ctx)
	k8s = installation.Admin
	serveGroups(ctx)
	running = installation.Launch(operator.FreeAddress(),
		"--target-interval="+interval.String(), "--target-networks=127.0.0.0/8", "--audit-log="+GinkgoT().TempDir()+"/audit.log")
	running.UntilReady()
	DeferCleanup(stopFGA)
})
