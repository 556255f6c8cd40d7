package monitoring

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// provision does what an identity provider does, and what a stranger tries.
func (r *running) provision() {
	GinkgoHelper()
	ada := r.create("/Users", `{"userName":"ada@example.com"}`)
	group := r.create("/Groups", `{"displayName":"Staff"}`)
	title := `{"Operations":[{"op":"replace","path":"title","value":"Countess"}]}`
	member := `{"Operations":[{"op":"add","path":"members","value":[{"value":"` + ada + `"}]}]}`
	for range 2 { // the second time, nothing is to be done
		Expect(r.call(token, http.MethodPatch, "/Users/"+ada, title)).To(Equal(http.StatusOK))
		Expect(r.call(token, http.MethodPatch, "/Groups/"+group, member)).To(BeNumerically("<", 300))
	}
	Expect(r.call(token, http.MethodPost, "/Users", `{"userName":"ADA@example.com"}`)).To(Equal(http.StatusConflict))
	for range 3 {
		Expect(r.call("guessed", http.MethodGet, "/Users", "")).To(Equal(http.StatusUnauthorized))
	}
}

func (r *running) create(path, body string) (id string) {
	GinkgoHelper()
	request, err := http.NewRequest(http.MethodPost, r.scim+"/scim/v2/"+namespace+"/okta"+path, strings.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	Expect(response.StatusCode).To(Equal(http.StatusCreated))
	var resource struct{ ID string }
	Expect(json.NewDecoder(response.Body).Decode(&resource)).To(Succeed())
	return resource.ID
}

var _ = Describe("Whoever reads the metrics of the operator", func() {
	of := []string{"namespace", namespace, "directory", "okta"}

	It("sees what identity providers asked for", func() {
		requests := func(labels ...string) float64 { return value(served, "scim_requests_total", labels...) }
		Expect(requests(append(of, "method", "POST", "route", "Users", "code", "201")...)).To(BeEquivalentTo(1))
		Expect(requests(append(of, "method", "POST", "route", "Users", "code", "409")...)).To(BeEquivalentTo(1))
		Expect(requests(append(of, "method", "PATCH", "route", "Users/{id}", "code", "200")...)).To(BeEquivalentTo(2))
		Expect(value(served, "scim_requests_unchanged_total", append(of, "method", "PATCH", "route", "Users/{id}")...)).To(BeEquivalentTo(1))
		Expect(value(served, "scim_requests_unchanged_total", append(of, "method", "PATCH", "route", "Groups/{id}")...)).To(BeEquivalentTo(1))
		Expect(value(served, "scim_requests_unchanged_total", of...)).To(BeEquivalentTo(2))
		Expect(value(served, "scim_request_duration_seconds", "method", "PATCH", "route", "Users/{id}")).To(BeEquivalentTo(2))
	})

	It("sees strangers, to whom no directory is ascribed", func() {
		Expect(value(served, "scim_requests_total", "code", "401", "directory", "")).To(BeEquivalentTo(3))
		Expect(value(served, "scim_requests_total", append(of, "code", "401")...)).To(BeEquivalentTo(-1))
	})

	It("sees what was written to Kubernetes, and what is in the index", func() {
		writes := func(kind, verb string) float64 {
			return value(served, "scim_store_writes_total", "kind", kind, "verb", verb, "result", "stored")
		}
		Expect(writes("ScimUser", "create")).To(BeEquivalentTo(1))
		Expect(writes("ScimUser", "update")).To(BeEquivalentTo(1))
		Expect(writes("ScimGroup", "create")).To(BeEquivalentTo(1))
		Expect(writes("ScimMemberSlice", "create")).To(BeEquivalentTo(1))
		Expect(value(served, "scim_store_writes_total", "result", "failed")).To(BeEquivalentTo(-1))
		Expect(value(served, "scim_store_live_reads_total", "kind", "ScimUser")).To(BeNumerically(">", 0))
		Expect(value(served, "scim_store_undone_writes_total")).To(BeZero())
		Expect(value(served, "scim_index_users", of...)).To(BeEquivalentTo(1))
		Expect(value(served, "scim_index_groups", of...)).To(BeEquivalentTo(1))
		Expect(value(served, "scim_index_members", of...)).To(BeEquivalentTo(1))
		Expect(value(served, "scim_index_member_slices", of...)).To(BeEquivalentTo(1))
		Expect(value(served, "scim_directory_suspended", of...)).To(BeZero())
		Expect(value(served, "scim_index_staleness_seconds")).To(BeZero())
	})

	It("sees a target that has not the rights it needs, and who leads", func() {
		Expect(value(served, "scim_target_out_of_sync_seconds", "namespace", namespace, "kind", "kubernetesRBAC")).To(BeNumerically(">", 0))
		Expect(value(served, "leader_election_master_status", "name", "controllers.scim-operator.io")).To(BeEquivalentTo(1))
		Expect(value(served, "scim_build_info")).To(BeEquivalentTo(1))
	})

	It("sees nothing of a directory that is gone", func(ctx context.Context) {
		gone := metav1.ObjectMeta{Namespace: namespace, Name: "gone"}
		Expect(live.Admin.Create(ctx, &v1alpha1.ScimDirectory{ObjectMeta: gone})).To(Succeed())
		Eventually(live.indexed).WithArguments("gone").Should(BeZero())
		Expect(live.Admin.Delete(ctx, &v1alpha1.ScimDirectory{ObjectMeta: gone})).To(Succeed())
		Eventually(live.indexed).WithArguments("gone").Should(BeEquivalentTo(-1))
	})

	It("finds them named and explained as Prometheus has it", func() {
		problems, err := promlint.NewWithMetricFamilies(ours()).Lint()
		Expect(err).NotTo(HaveOccurred())
		Expect(problems).To(BeEmpty())
	})

	It("finds each in the documentation, with its labels, and no other", func() {
		page, err := os.ReadFile(filepath.Join(root, "docs", "monitoring.md"))
		Expect(err).NotTo(HaveOccurred())
		documented := map[string]string{}
		for _, line := range regexp.MustCompile("(?m)^\\| `(scim_\\w+)` \\|([^|]*)\\|").FindAllStringSubmatch(string(page), -1) {
			documented[line[1]] = strings.TrimSpace(strings.ReplaceAll(line[2], "`", ""))
		}
		serving := map[string]string{}
		for _, family := range ours() {
			serving[family.GetName()] = strings.Join(labelsOf(family), ", ")
		}
		Expect(documented).To(Equal(serving))
	})
})

// indexed is how many users the index has of a directory; -1 if it has no directory of that name.
func (r *running) indexed(g Gomega, directory string) float64 {
	return value(r.scrape(g), "scim_index_users", "namespace", namespace, "directory", directory)
}

// ours are the operator's own metrics.
func ours() (all []*dto.MetricFamily) {
	for name, family := range served {
		if strings.HasPrefix(name, "scim_") {
			all = append(all, family)
		}
	}
	return all
}

// labelsOf are the names of the labels that the series of a metric have, sorted.
func labelsOf(family *dto.MetricFamily) (names []string) {
	for _, m := range family.GetMetric() {
		for _, l := range m.GetLabel() {
			if !slices.Contains(names, l.GetName()) {
				names = append(names, l.GetName())
			}
		}
	}
	slices.Sort(names)
	return names
}
