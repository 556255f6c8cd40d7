package monitoring

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/operator"
)

func TestMonitoring(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	RunSpecs(t, "monitoring")
}

const (
	namespace = "acme"
	token     = "scimop_of_the_specs_for_monitoring"
)

var (
	root string
	// served are the metrics of the operator as it runs in a cluster, by their names, after what an identity provider did.
	served map[string]*dto.MetricFamily
	live   *running
)

// running is an operator that serves metrics.
type running struct {
	*operator.Installation
	scim, metrics string
}

var _ = BeforeSuite(func(ctx context.Context) {
	var err error
	root, err = controlplane.Root()
	Expect(err).NotTo(HaveOccurred())
	live = &running{Installation: operator.Install(ctx)}
	live.prepare(ctx)
	address := operator.FreeAddress()
	live.metrics = "http://" + address + "/metrics"
	live.scim = live.Launch(operator.FreeAddress(), "--metrics-bind-address="+address, "--leader-elect", "--leader-election-namespace=scim-system").
		UntilReady().URL
	live.provision()
	Eventually(func(g Gomega) {
		served = live.scrape(g)
		g.Expect(value(served, "scim_target_out_of_sync_seconds", "target", "cluster")).To(BeNumerically(">", 0))
		g.Expect(value(served, "scim_target_changes_total", "target", "cluster", "operation", "grant", "result", "applied")).To(BeZero())
		g.Expect(value(served, "scim_index_members", "directory", "okta")).To(BeEquivalentTo(1))
	}).Should(Succeed())
})

// prepare makes a directory with a safeguard and a token that expires, and a target that has not the rights it needs.
func (r *running) prepare(ctx context.Context) {
	GinkgoHelper()
	in := metav1.ObjectMeta{Namespace: namespace, Name: "okta"}
	Expect(r.Admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})).To(Succeed())
	Expect(r.Admin.Create(ctx, &corev1.Secret{
		ObjectMeta: in, Type: v1alpha1.TokenSecretType, StringData: map[string]string{v1alpha1.TokenSecretKey: token},
	})).To(Succeed())
	Expect(r.Admin.Create(ctx, &v1alpha1.ScimDirectory{ObjectMeta: in, Spec: v1alpha1.ScimDirectorySpec{
		Primary: true, Safeguard: &v1alpha1.Safeguard{},
		Tokens: []v1alpha1.DirectoryToken{{
			Name: "idp", SecretRef: v1alpha1.SecretReference{Name: "okta"}, ExpirationTime: new(metav1.NewTime(time.Now().Add(time.Hour))),
		}},
	}})).To(Succeed())
	Expect(r.Admin.Create(ctx, &v1alpha1.AppTarget{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "cluster"},
		Spec: v1alpha1.AppTargetSpec{
			Mode: v1alpha1.TargetEnforce, ServiceAccountName: "nobody",
			KubernetesRBAC: &v1alpha1.KubernetesRBACTarget{Bindings: []v1alpha1.KubernetesBinding{{
				Role: "admin", RoleRef: v1alpha1.KubernetesRoleReference{Kind: "ClusterRole", Name: "view"}, ClusterWide: true,
			}}},
		},
	})).To(Succeed())
}

// call makes a SCIM request, and returns the status code of the answer.
func (r *running) call(token, method, path, body string) int {
	GinkgoHelper()
	request, err := http.NewRequest(method, r.scim+"/scim/v2/"+namespace+"/okta"+path, strings.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/scim+json")
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	Expect(response.Body.Close()).To(Succeed())
	return response.StatusCode
}

// scrape reads the metrics as Prometheus does.
func (r *running) scrape(g Gomega) map[string]*dto.MetricFamily {
	response, err := http.Get(r.metrics)
	g.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	return families
}

// value adds up the series of a metric that have these labels; of a histogram, how many values it holds. It is -1 if there is
// no series.
func value(families map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	sum, found := 0.0, false
	for _, m := range families[name].GetMetric() {
		has := map[string]string{}
		for _, l := range m.GetLabel() {
			has[l.GetName()] = l.GetValue()
		}
		matches := true
		for i := 0; i < len(labels); i += 2 {
			matches = matches && has[labels[i]] == labels[i+1]
		}
		if matches {
			found = true
			sum += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	if !found {
		return -1
	}
	return sum
}
