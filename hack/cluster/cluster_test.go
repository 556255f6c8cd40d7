package cluster

import (
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

func TestCluster(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(time.Minute)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	RunSpecs(t, "A cluster")
}

// address is where `kubectl port-forward` says that it listens.
var address = regexp.MustCompile(`127\.0\.0\.1:\d+`)

var _ = Describe("A cluster", Ordered, func() {
	var (
		plane      *controlplane.ControlPlane
		kubeconfig string
		cluster    *Cluster
		port       net.Listener
	)

	kubectl := func(arguments ...string) string {
		GinkgoHelper()
		out, err := exec.Command(plane.Kubectl, append([]string{"--kubeconfig=" + kubeconfig}, arguments...)...).CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		return string(out)
	}

	BeforeAll(func(ctx context.Context) {
		var err error
		plane, err = controlplane.Start(ctx, controlplane.Options{Progress: GinkgoWriter})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(plane.Stop)
		dir := GinkgoT().TempDir()
		kubeconfig = filepath.Join(dir, "kubeconfig")
		content, err := plane.Kubeconfig("administrator", "system:masters")
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(kubeconfig, content, 0o600)).To(Succeed())
		port, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(port.Close)
		cluster, err = Start(ctx, plane, Options{Ports: map[int]string{80: port.Addr().String()}, Progress: GinkgoWriter})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(cluster.Stop)
	})

	It("runs the Pods of a Deployment on both nodes", func() {
		kubectl("create", "namespace", "shop")
		kubectl("create", "deployment", "web", "--image=web", "--replicas=2", "--port=80", "-n", "shop")
		kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=1m")
		Expect(kubectl("get", "pods", "-n", "shop", "-o", "wide")).To(And(ContainSubstring("node-a"), ContainSubstring("node-b")))
	})

	It("shows their log", func() {
		_, err := io.WriteString(cluster.Log, "it runs\nand ")
		Expect(err).NotTo(HaveOccurred())
		_, err = io.WriteString(cluster.Log, "runs\n")
		Expect(err).NotTo(HaveOccurred())
		Expect(kubectl("logs", "deployment/web", "-n", "shop")).To(HaveSuffix("it runs\nand runs\n"))
	})

	It("forwards their ports", func(ctx context.Context) {
		forward := exec.CommandContext(ctx, plane.Kubectl, "--kubeconfig="+kubeconfig, "port-forward", "deployment/web", ":80", "-n", "shop")
		out, err := forward.StdoutPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(forward.Start()).To(Succeed())
		DeferCleanup(func() {
			_ = forward.Process.Kill()
			_ = forward.Wait()
		})
		said := make([]byte, 200)
		n, err := out.Read(said)
		Expect(err).NotTo(HaveOccurred())
		local := address.FindString(string(said[:n]))
		connection, err := net.Dial("tcp", local)
		Expect(err).NotTo(HaveOccurred())
		defer connection.Close()
		_, err = connection.Write([]byte("hello"))
		Expect(err).NotTo(HaveOccurred())
		served, err := port.Accept()
		Expect(err).NotTo(HaveOccurred())
		defer served.Close()
		heard := make([]byte, 5)
		_, err = served.Read(heard)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(heard)).To(Equal("hello"))
	})

	It("collects what belonged to what is deleted, and ends a namespace", func() {
		kubectl("delete", "deployment", "web", "-n", "shop")
		Eventually(func() string { return kubectl("get", "replicasets,pods", "-n", "shop") }).Should(ContainSubstring("No resources found"))
		kubectl("delete", "namespace", "shop", "--timeout=1m")
	})
})
