package controlplane

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const asOwner = "CONTROLPLANE_TEST_OWNER"

// TestMain lets the test binary play the owner of a control plane, which can be killed.
func TestMain(m *testing.M) {
	if os.Getenv(asOwner) != "" {
		plane, err := Start(context.Background(), Options{})
		if err != nil {
			panic(err)
		}
		fmt.Println(strings.Join(addresses(plane), " "))
		select {}
	}
	os.Exit(m.Run())
}

func TestUsersHaveOnlyWhatRBACGrants(t *testing.T) {
	g := NewWithT(t)
	plane, err := Start(t.Context(), Options{Progress: os.Stderr})
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { g.Expect(plane.Stop()).To(Succeed()) }()

	manifests := filepath.Join(t.TempDir(), "*.yaml")
	role := `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [namespaces], verbs: [list]}]
---
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: default}]
`
	write(t, filepath.Join(filepath.Dir(manifests), "role.yaml"), role)
	write(t, filepath.Join(filepath.Dir(manifests), "kustomization.yaml"), "resources: [role.yaml]")
	g.Expect(Apply(t.Context(), plane.Config, manifests)).To(Succeed())
	g.Expect(Apply(t.Context(), plane.Config, manifests)).To(Succeed(), "a second time")

	config, err := plane.User("system:serviceaccount:default:reader", "system:serviceaccounts")
	g.Expect(err).NotTo(HaveOccurred())
	reader := kubernetes.NewForConfigOrDie(config).CoreV1()
	g.Eventually(func() error {
		_, err := reader.Namespaces().List(t.Context(), metav1.ListOptions{})
		return err
	}).WithTimeout(10 * time.Second).Should(Succeed())
	_, err = reader.Secrets("default").List(t.Context(), metav1.ListOptions{})
	g.Expect(apierrors.IsForbidden(err)).To(BeTrue(), "got %v", err)

	write(t, filepath.Join(filepath.Dir(manifests), "unknown.yaml"), "{apiVersion: example.com/v1, kind: Nothing, metadata: {name: x}}")
	g.Expect(Apply(t.Context(), plane.Config, manifests)).To(MatchError(ContainSubstring("unknown.yaml: Nothing x")))
}

func TestStatePortAndKubeconfigSurviveARestart(t *testing.T) {
	g := NewWithT(t)
	dir := t.TempDir()
	plane, err := Start(t.Context(), Options{DataDir: dir})
	g.Expect(err).NotTo(HaveOccurred())
	kubeconfig, err := plane.Kubeconfig("somebody", "system:masters")
	g.Expect(err).NotTo(HaveOccurred())
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	g.Expect(err).NotTo(HaveOccurred())
	namespaces := kubernetes.NewForConfigOrDie(config).CoreV1().Namespaces()
	_, err = namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}, metav1.CreateOptions{})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(plane.Stop()).To(Succeed())

	plane, err = Start(t.Context(), Options{DataDir: dir})
	g.Expect(err).NotTo(HaveOccurred())
	defer func() { g.Expect(plane.Stop()).To(Succeed()) }()
	_, err = namespaces.Get(t.Context(), "kept", metav1.GetOptions{})
	g.Expect(err).NotTo(HaveOccurred())
}

func TestServersEndWhenTheirOwnerIsKilled(t *testing.T) {
	g := NewWithT(t)
	owner := exec.Command(os.Args[0])
	temporary := t.TempDir()
	owner.Env = append(os.Environ(), asOwner+"=1", "TMPDIR="+temporary)
	owner.Stderr = os.Stderr
	output, err := owner.StdoutPipe()
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(owner.Start()).To(Succeed())
	line, err := bufio.NewReader(output).ReadString('\n')
	g.Expect(err).NotTo(HaveOccurred())
	for address := range strings.FieldsSeq(line) {
		g.Expect(dial(address)).To(Succeed(), "before the kill")
	}
	g.Expect(filepath.Glob(filepath.Join(temporary, "scim-operator-*"))).To(HaveLen(1), "before the kill")

	g.Expect(owner.Process.Kill()).To(Succeed())
	_ = owner.Wait() // it was killed
	for address := range strings.FieldsSeq(line) {
		g.Eventually(func() error { return dial(address) }).WithTimeout(5*time.Second).ShouldNot(Succeed(), "after the kill")
	}
	g.Eventually(func() ([]string, error) { return filepath.Glob(filepath.Join(temporary, "scim-operator-*")) }).
		WithTimeout(5*time.Second).Should(BeEmpty(), "the state is left")
}

func TestFailedStartShowsLogsAndLeavesNothing(t *testing.T) {
	g := NewWithT(t)
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("KUBEBUILDER_ASSETS", t.TempDir())
	for _, program := range []string{"etcd", "kube-apiserver", "kubectl"} {
		path := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), program)
		g.Expect(os.WriteFile(path, []byte("#!/bin/sh\n[ \"$1\" = --help ] || { echo no room on the disk >&2; exit 1; }\n"), 0o700)).To(Succeed())
	}
	_, err := Start(t.Context(), Options{})
	g.Expect(err).To(MatchError(ContainSubstring("no room on the disk")))
	g.Expect(os.ReadDir(os.Getenv("TMPDIR"))).To(BeEmpty())
}

func addresses(plane *ControlPlane) []string {
	return []string{plane.env.ControlPlane.Etcd.URL.Host, plane.env.ControlPlane.APIServer.HostPort()}
}

func dial(address string) error {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	return connection.Close()
}
