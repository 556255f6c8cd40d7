package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

// operatorBinary is the program under test, built from the source as it is.
var operatorBinary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "scim-operator-dev-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		root, err := controlplane.Root()
		if err != nil {
			panic(err)
		}
		operatorBinary = filepath.Join(dir, "scim-operator")
		build := exec.Command("go", "build", "-o", operatorBinary, ".")
		build.Dir, build.Stderr = root, os.Stderr
		if err := build.Run(); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

func TestItServesAndStopsAndKeepsItsState(t *testing.T) {
	g := NewWithT(t)
	s := testSettings(t)
	token := regexp.MustCompile(`(?m)^SCIM_TOKEN=(scimop_\w+)$`)
	var tokens []string
	for _, round := range []string{"first", "second"} {
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		var out bytes.Buffer
		done := make(chan error, 1)
		go func() { done <- run(ctx, s, &out) }()

		g.Eventually(s.env).WithTimeout(time.Minute).Should(BeARegularFile(), round)
		content, err := os.ReadFile(s.env)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(string(content)).To(And(
			MatchRegexp(`(?m)^SCIM_BASE_URL=http://127\.0\.0\.1:\d+/scim/v2/demo/okta$`),
			ContainSubstring("\nKUBECONFIG="+filepath.Join(s.dir, "kubeconfig")+"\n"),
			MatchRegexp(`(?m)^METRICS_URL=http://127\.0\.0\.1:\d+/metrics$`),
		))

		found := token.FindStringSubmatch(string(content))
		g.Expect(found).To(HaveLen(2), "%s", content)
		tokens = append(tokens, found[1])

		interrupt()
		g.Eventually(done).WithTimeout(time.Minute).Should(Receive())
		g.Expect(s.env).NotTo(BeAnExistingFile())
		g.Expect(out.String()).To(ContainSubstring("Bearer "+found[1]), round)
	}
	g.Expect(tokens[1]).To(Equal(tokens[0]), "the state is kept")
}

func TestItEndsWithTheOperatorAndShowsItsLog(t *testing.T) {
	g := NewWithT(t)
	s := testSettings(t)
	s.flags = []string{"--max-staleness=-1s"}
	err := run(t.Context(), s, &bytes.Buffer{})
	g.Expect(err).To(MatchError(And(ContainSubstring("exit status 1"), ContainSubstring("--max-staleness must be positive"))))
	g.Expect(s.env).NotTo(BeAnExistingFile())
}

func TestATakenAddressIsExplained(t *testing.T) {
	g := NewWithT(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	g.Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	for address, want := range map[string]string{
		listener.Addr().String(): "another program listens there",
		"nonsense":               "missing port",
	} {
		_, err = findAddresses(t.Context(), address)
		g.Expect(err).To(MatchError(And(ContainSubstring(want), ContainSubstring("make run ADDR="))))
	}
}

func TestExternalURLIsReachable(t *testing.T) {
	for scim, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080",
		"0.0.0.0:80":     "http://127.0.0.1:80",
		"[::]:80":        "http://127.0.0.1:80",
		"[::1]:80":       "http://[::1]:80",
	} {
		if got := (addresses{scim: scim}).externalURL(); got != want {
			t.Errorf("%s is reached at %s, want %s", scim, got, want)
		}
	}
}

func TestQuotedWordsAreReadBackByAShell(t *testing.T) {
	for word, want := range map[string]string{
		"/home/a_b/kube-config": "/home/a_b/kube-config",
		"/home/a b/config":      "'/home/a b/config'",
		"it's":                  `'it'\''s'`,
		"$(x)":                  "'$(x)'",
		"":                      "''",
	} {
		if got := quote(word); got != want {
			t.Errorf("%s is written %s, want %s", word, got, want)
		}
	}
}

func testSettings(t *testing.T) settings {
	t.Helper()
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if strings.ContainsAny(dir, " '") {
		t.Skip("the temporary folder would be quoted")
	}
	return settings{root: root, binary: operatorBinary, dir: dir, env: filepath.Join(dir, "scim.env"), address: "127.0.0.1:0"}
}
