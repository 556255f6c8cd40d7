package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/operator"
)

var _ = Describe("A restart of the controllers", func() {
	It("looks at everybody, and changes nothing", func(ctx context.Context) {
		const ns, people, delay = "restart", 500, 1500 * time.Millisecond
		Expect(installed.Admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})).To(Succeed())
		named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: ns, Name: name} }
		d := &v1alpha1.ScimDirectory{ObjectMeta: named("okta")}
		d.Spec.Primary, d.Spec.LocalEdits = true, v1alpha1.LocalEditsAllow // so that an administrator can fill it
		Expect(installed.Admin.Create(ctx, d)).To(Succeed())
		Expect(installed.Admin.Create(ctx, &v1alpha1.AppRole{ObjectMeta: named("member"), Spec: v1alpha1.AppRoleSpec{Default: true}})).To(Succeed())
		g := &v1alpha1.ScimGroup{ObjectMeta: named(uuid.NewString())}
		g.Spec.DirectoryRef.Name, g.Spec.DisplayName = "okta", "Everybody"
		g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "aaaaaaaa", Shards: 1}
		members := &v1alpha1.ScimMemberSlice{ObjectMeta: named(v1alpha1.SliceName(g.Name, "aaaaaaaa", 0))}
		members.Spec = v1alpha1.ScimMemberSliceSpec{DirectoryRef: g.Spec.DirectoryRef, Group: g.Name, Epoch: "aaaaaaaa"}
		filling, inFill := errgroup.WithContext(ctx)
		filling.SetLimit(16)
		for i := range people {
			u := &v1alpha1.ScimUser{ObjectMeta: named(uuid.NewString())}
			u.Spec.DirectoryRef.Name, u.Spec.UserName, u.Spec.Active = "okta", fmt.Sprintf("person-%d@example.com", i), true
			members.Spec.Members = append(members.Spec.Members, u.Name)
			filling.Go(func() error { return installed.Admin.Create(inFill, u) })
		}
		Expect(filling.Wait()).To(Succeed())
		Expect(installed.Admin.Create(ctx, members)).To(Succeed())
		Expect(installed.Admin.Create(ctx, g)).To(Succeed())

		address := operator.FreeAddress() // by which directories' base URLs are told
		first := controllersAlone(address)
		Eventually(first.idleAfter).WithArguments(people).WithTimeout(2 * time.Minute).WithPolling(200 * time.Millisecond).Should(BeTrue())
		settled := func(m measured) {
			GinkgoHelper()
			Eventually(func(g Gomega) { // what is counted is written a moment later
				g.Consistently(m.writes).WithTimeout(delay).WithPolling(delay / 3).Should(Equal(m.writes()))
			}).WithTimeout(time.Minute).Should(Succeed())
		}
		settled(first)
		Expect(first.writes()).To(BeNumerically(">", people))
		first.Kill()

		before := versions(ctx, ns)
		second := controllersAlone(address)
		Eventually(second.idleAfter).WithArguments(people).WithTimeout(time.Minute).WithPolling(200 * time.Millisecond).Should(BeTrue())
		settled(second)
		Expect(versions(ctx, ns)).To(Equal(before))
	})
})

// versions are those of everything that the operator keeps in a namespace.
func versions(ctx context.Context, ns string) map[string]string {
	GinkgoHelper()
	versions := map[string]string{}
	for _, list := range []client.ObjectList{
		&v1alpha1.ScimDirectoryList{}, &v1alpha1.ScimUserList{}, &v1alpha1.ScimGroupList{}, &v1alpha1.ScimMemberSliceList{},
		&v1alpha1.AppRoleList{}, &v1alpha1.AppMembershipList{},
	} {
		Expect(installed.Admin.List(ctx, list, client.InNamespace(ns))).To(Succeed())
		Expect(meta.EachListItem(list, func(o runtime.Object) error {
			object, err := meta.Accessor(o)
			if err == nil {
				versions[fmt.Sprintf("%T %s", o, object.GetName())] = object.GetResourceVersion()
			}
			return err
		})).To(Succeed())
	}
	return versions
}

// measured is an operator that tells what it does.
type measured struct {
	*operator.Process
	metrics string
}

// controllersAlone runs the controllers without the SCIM server, which notes when tokens are used.
func controllersAlone(address string) measured {
	GinkgoHelper()
	metrics := operator.FreeAddress()
	m := measured{installed.Launch(address, "--scim=false", "--metrics-bind-address="+metrics).UntilReady(), metrics}
	Eventually(func() error {
		response, err := http.Get("http://" + metrics + "/metrics")
		if err == nil {
			err = response.Body.Close()
		}
		return err
	}).Should(Succeed())
	return m
}

// sum adds up the samples that a pattern matches, whose first group is the value.
func (m measured) sum(pattern string) (total float64) {
	GinkgoHelper()
	response, err := http.Get("http://" + m.metrics + "/metrics")
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	for _, sample := range regexp.MustCompile("(?m)"+pattern+" (\\S+)$").FindAllSubmatch(text, -1) {
		value, err := strconv.ParseFloat(string(sample[1]), 64)
		Expect(err).NotTo(HaveOccurred())
		total += value
	}
	return total
}

// idleAfter reports whether that many people have been looked at, and nothing more is to be done.
func (m measured) idleAfter(people int) bool {
	return m.sum(`^controller_runtime_reconcile_total\{controller="membership",.*\}`) >= float64(people) &&
		m.sum(`^workqueue_depth\{.*\}`)+m.sum(`^controller_runtime_active_workers\{.*\}`) == 0
}

// writes is how many it has asked the API server for.
func (m measured) writes() float64 {
	return m.sum(`^rest_client_requests_total\{.*method="(?:POST|PUT|PATCH|DELETE)".*\}`)
}
