package docs

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/operator"
)

// opensConsole sees that whose token the page makes can sign in and see people.
func opensConsole(ctx context.Context, s *stage, p *player) {
	GinkgoHelper()
	company := s.company(ctx, p)
	company.appoint(ctx)
	forwarded := operator.FreeAddress()
	_, port, err := net.SplitHostPort(forwarded)
	Expect(err).NotTo(HaveOccurred())
	p.replace["8082:80"] = port + ":80"
	p.after = map[string]func(context.Context){
		"helm upgrade": s.deploy,
		"kubectl create token": func(context.Context) {
			jar, err := cookiejar.New(nil)
			Expect(err).NotTo(HaveOccurred())
			browser := &http.Client{Jar: jar}
			Eventually(func(g Gomega) {
				answer, err := browser.PostForm("http://"+forwarded+"/login", url.Values{
					"token": {p.printed[0]}, "next": {"/namespaces/" + company.namespace + "/directories/okta/people"},
				})
				g.Expect(err).NotTo(HaveOccurred())
				defer answer.Body.Close()
				text, err := io.ReadAll(answer.Body)
				g.Expect(err).NotTo(HaveOccurred())
				g.Expect(answer.StatusCode).To(Equal(http.StatusOK), string(text))
				g.Expect(string(text)).To(ContainSubstring("ada@example.com"))
			}).Should(Succeed())
		},
	}
}
