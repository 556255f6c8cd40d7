package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/operator"
)

// A directory that no other spec uses.
const (
	seeing      = "seeing"
	seeingToken = "scimop_seeing_what_an_identity_provider_did"
)

// push makes a request as the identity provider of that directory, and returns the id that it is answered with.
func (o demo) push(request, method, path, body string) string {
	GinkgoHelper()
	base := strings.Replace(o.baseURL, "/"+namespace+"/", "/"+seeing+"/", 1)
	r, err := http.NewRequest(method, base+path, strings.NewReader(body))
	Expect(err).NotTo(HaveOccurred())
	r.Header.Set("Authorization", "Bearer "+seeingToken)
	r.Header.Set("Content-Type", "application/scim+json")
	r.Header.Set("X-Request-Id", request)
	response, err := http.DefaultClient.Do(r)
	Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	Expect(response.StatusCode).To(BeNumerically("<", 300), string(text))
	var resource struct{ ID string }
	_ = json.Unmarshal(text, &resource) // a 204 has no body
	return resource.ID
}

func (o demo) patch(request, path, operation string) {
	GinkgoHelper()
	o.push(request, http.MethodPatch, path, `{"Operations":[`+operation+`]}`)
}

var _ = Describe("An administrator", func() {
	It("finds every reason of an event in the documentation", func() {
		source, err := os.ReadFile("api/v1alpha1/events.go")
		Expect(err).NotTo(HaveOccurred())
		reasons := regexp.MustCompile(`= "(\w+)"`).FindAllStringSubmatch(string(source), -1)
		Expect(len(reasons)).To(BeNumerically(">", 15))
		docs, err := os.ReadFile("docs/auditing.md")
		Expect(err).NotTo(HaveOccurred())
		for _, reason := range reasons {
			Expect(string(docs)).To(ContainSubstring("| `" + reason[1] + "`"))
		}
	})

	It("sees by kubectl, and in the audit log, what an identity provider did", func(ctx context.Context) {
		Expect(installed.Admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: seeing}})).To(Succeed())
		Expect(installed.Admin.Create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: seeing, Name: "token"}, Type: v1alpha1.TokenSecretType,
			StringData: map[string]string{v1alpha1.TokenSecretKey: seeingToken},
		})).To(Succeed())
		Expect(installed.Admin.Create(ctx, &v1alpha1.ScimDirectory{
			ObjectMeta: metav1.ObjectMeta{Namespace: seeing, Name: "okta"},
			Spec: v1alpha1.ScimDirectorySpec{Primary: true, Tokens: []v1alpha1.DirectoryToken{
				{Name: "production", SecretRef: v1alpha1.SecretReference{Name: "token"}},
			}},
		})).To(Succeed())
		auditLog := filepath.Join(GinkgoT().TempDir(), "audit.log")
		o := launch(operator.FreeAddress(), "--audit-log="+auditLog)

		ada := o.push("r-1", http.MethodPost, "/Users", `{"userName":"ada@example.com","title":"Countess"}`)
		staff := o.push("r-2", http.MethodPost, "/Groups", `{"displayName":"Staff"}`)
		o.patch("r-3", "/Groups/"+staff, `{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}`)
		o.patch("r-4", "/Users/"+ada, `{"op":"replace","path":"title","value":"Duchess"}`)
		o.patch("r-5", "/Users/"+ada, `{"op":"replace","value":{"active":false}}`)
		o.patch("r-6", "/Users/"+ada, `{"op":"replace","value":{"active":true}}`)
		o.patch("r-7", "/Groups/"+staff, `{"op":"remove","path":"members[value eq \"`+ada+`\"]"}`)
		Expect(os.Rename(auditLog, auditLog+".1")).To(Succeed())
		o.push("r-8", http.MethodDelete, "/Users/"+ada, "")

		By("asking for the events of a user and of a group")
		eventsFor := func(object string) func() string {
			return func() string { return kubectl("-n", seeing, "events", "--for", object) }
		}
		Eventually(eventsFor("scimuser/" + ada)).Should(And(
			MatchRegexp(`UserCreated +ScimUser/`+ada+` +Created by directory okta, request r-1`),
			MatchRegexp(`MemberAdded +ScimUser/`+ada+` +Added to ScimGroup/`+staff+` by directory okta, request r-3`),
			MatchRegexp(`UserUpdated +ScimUser/`+ada+` +Updated by directory okta, request r-4: title`),
			MatchRegexp(`UserDeactivated +ScimUser/`+ada+` +Deactivated by directory okta, request r-5: active`),
			MatchRegexp(`UserReactivated +ScimUser/`+ada+` +Reactivated by directory okta, request r-6: active`),
			MatchRegexp(`MemberRemoved +ScimUser/`+ada+` +Removed from ScimGroup/`+staff+` by directory okta, request r-7`),
			MatchRegexp(`UserDeleted +ScimUser/`+ada+` +Deleted by directory okta, request r-8`),
		))
		Eventually(eventsFor("scimgroup/" + staff)).Should(And(
			MatchRegexp(`GroupCreated +ScimGroup/`+staff+` +Created by directory okta, request r-2`),
			MatchRegexp(`MemberAdded +ScimGroup/`+staff+` +Member `+ada+` added by directory okta, request r-3`),
			MatchRegexp(`MemberRemoved +ScimGroup/`+staff+` +Member `+ada+` removed by directory okta, request r-7`),
		))
		AddReportEntry("kubectl events", kubectl("-n", seeing, "events"))

		By("asking the directory about its token")
		Eventually(func() string {
			return kubectl("-n", seeing, "get", "scimdir", "okta", "-o", "jsonpath={.status.tokens[0].name} {.status.tokens[0].state} {.status.tokens[0].lastUsedTime}")
		}).Should(MatchRegexp(`^production Valid ` + time.Now().UTC().Format("2006-01-02T")))

		By("reading the audit log, also the part that was rotated away")
		o.Signal(syscall.SIGTERM)
		Eventually(o.Exited).Should(BeClosed())
		operations := func(file string) []string {
			GinkgoHelper()
			text, err := os.ReadFile(file)
			Expect(err).NotTo(HaveOccurred())
			AddReportEntry(filepath.Base(file), string(text))
			told := []string{}
			for line := range strings.Lines(string(text)) {
				var record struct{ Msg, Request, Operation string }
				Expect(json.Unmarshal([]byte(line), &record)).To(Succeed())
				if record.Msg == "scim" {
					told = append(told, record.Request+" "+record.Operation)
				}
			}
			return told
		}
		Expect(operations(auditLog + ".1")).To(HaveExactElements("r-1 UserCreated", "r-2 GroupCreated", "r-3 MemberAdded",
			"r-4 UserUpdated", "r-5 UserDeactivated", "r-6 UserReactivated", "r-7 MemberRemoved"))
		Expect(operations(auditLog)).To(HaveExactElements("r-8 UserDeleted"))
		Expect(string(o.Log.Contents())).NotTo(Or(ContainSubstring("forbidden"), ContainSubstring(seeingToken),
			ContainSubstring("ada@"), ContainSubstring("Countess"), ContainSubstring("Staff")))

		By("finding no chatter in the log")
		Expect(string(o.Log.Contents())).To(ContainSubstring("Starting workers"))
		Expect(string(o.Log.Contents())).NotTo(Or(ContainSubstring("Starting EventSource"), ContainSubstring("Starting Controller"),
			ContainSubstring("All workers finished"), ContainSubstring("healthz check failed"), ContainSubstring(`"caller"`)))
	})
})
