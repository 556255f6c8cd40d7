package main

import (
	"net"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/scim-operator/scim-operator/hack/operator"
)

var _ = Describe("A replica that does not get far", func() {
	It("says at once that it cannot listen", func() {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(taken.Close)
		o := installed.Launch(taken.Addr().String())
		Eventually(o.Exited).Should(BeClosed())
		Expect(o.Log).To(gbytes.Say("the SCIM server cannot listen: .*address already in use"))
	})

	It("ends when it is told to, before it has read everything", func() {
		o := installed.Launch(operator.FreeAddress())
		Eventually(o.Log).Should(gbytes.Say("SCIM server listens"))
		o.Signal(syscall.SIGTERM)
		Eventually(o.Exited).Should(BeClosed())
		Expect(o.Failure).NotTo(HaveOccurred())
	})
})
