package cli_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("A token", func() {
	var o organization
	BeforeEach(func(ctx context.Context) { o = found(ctx) })

	secretOf := func(ctx context.Context, name string) *corev1.Secret {
		GinkgoHelper()
		for _, t := range o.directory(ctx).Spec.Tokens {
			if t.Name == name {
				secret := &corev1.Secret{}
				Expect(installed.Admin.Get(ctx, client.ObjectKey{Namespace: o.namespace, Name: t.SecretRef.Name}, secret)).To(Succeed())
				return secret
			}
		}
		return nil
	}

	It("works as soon as it is made, is stored as a hash, and ends when it is revoked", func(ctx context.Context) {
		printed, err := run(o.namespace, "token create okta")
		Expect(err).NotTo(HaveOccurred(), printed.err)
		token := strings.TrimSuffix(printed.out, "\n")
		Expect(token).To(MatchRegexp(`^scimop_[0-9A-Za-z]{49}$`))
		Expect(printed.err).To(And(
			HavePrefix("Token okta of directory okta: this is the only time it is shown. Its hash is in Secret okta-okta-"),
			HaveSuffix("\nBase URL: "+o.baseURL()+"\n"), Not(ContainSubstring(token))))
		Expect(o.knows(token)).To(Equal(http.StatusOK))

		secret := secretOf(ctx, "okta")
		sum := sha256.Sum256([]byte(token))
		Expect(secret.Type).To(Equal(corev1.SecretType("scim-operator.io/token")))
		Expect(secret.Data).To(Equal(map[string][]byte{
			"tokenSHA256": []byte(hex.EncodeToString(sum[:])), "lastFour": []byte(token[len(token)-4:]),
		}))
		Eventually(scim).WithArguments(o.namespace, "directory describe okta").Should(And(
			table("Primary yes", "NAME STATE ENDS IN EXPIRES LAST USED LAST REFUSED"),
			MatchRegexp(`(?m)^okta +Valid +`+token[len(token)-4:]+` +never +\S+ ago +never$`),
			Not(ContainSubstring(token))))

		Expect(refused(o.namespace, "token revoke okta okta")).To(ContainSubstring("nobody can be asked here: End token okta of directory okta? Give --yes"))
		Expect(scim(o.namespace, "token revoke okta okta --yes")).To(Equal("Token okta of directory okta has ended.\n"))
		Eventually(o.knows).WithArguments(token).Should(Equal(http.StatusUnauthorized))
		Expect(installed.Admin.Get(ctx, client.ObjectKeyFromObject(secret), secret)).NotTo(Succeed(), "its Secret is of no use")
		Expect(o.knows(o.token)).To(Equal(http.StatusOK), "the other one works on")
	})

	It("can be limited", func(ctx context.Context) {
		var made struct{ Token, Name string }
		Expect(json.Unmarshal([]byte(scim(o.namespace, "token create okta reader --scopes=read --expires-in=2160h -o json")), &made)).To(Succeed())
		Expect(made.Name).To(Equal("reader"))
		Expect(o.knows(made.Token)).To(Equal(http.StatusOK))
		status, _ := o.call(made.Token, http.MethodPost, "/Users", `{"userName":"x"}`)
		Expect(status).To(Equal(http.StatusForbidden))
		entry := o.directory(ctx).Spec.Tokens[1]
		Expect(entry.ExpirationTime).NotTo(BeNil())
		Expect(entry.ExpirationTime.Time).To(BeTemporally("~", time.Now().Add(90*24*time.Hour), time.Minute))
		Expect(refused(o.namespace, "token create okta reader")).To(ContainSubstring(`has a token "reader" already`))
		Expect(refused(o.namespace, "token create okta Reader")).To(ContainSubstring("lower-case letters"))
		Expect(refused(o.namespace, "token create okta --scopes=admin")).To(ContainSubstring("want Read, Write, or both"))
		Expect(refused(o.namespace, "token create entra")).To(ContainSubstring("there is: okta"))
		var left corev1.SecretList
		Expect(installed.Admin.List(ctx, &left, client.InNamespace(o.namespace))).To(Succeed())
		Expect(left.Items).To(HaveLen(2), "what failed leaves no Secret")
	})

	It("overlaps with the one that it takes the place of", func(ctx context.Context) {
		printed, err := run(o.namespace, "token rotate okta --overlap=2h")
		Expect(err).NotTo(HaveOccurred(), printed.err)
		second := strings.TrimSpace(printed.out)
		Expect(printed.err).To(MatchRegexp(`Token idp works until \d{4}-\d\d-\d\dT\S+Z at the latest`))
		Expect(o.knows(second)).To(Equal(http.StatusOK))
		Expect(o.knows(o.token)).To(Equal(http.StatusOK))
		tokens := o.directory(ctx).Spec.Tokens
		Expect(tokens[0].ExpirationTime).NotTo(BeNil())
		Expect(tokens[0].ExpirationTime.Time).To(BeTemporally("~", time.Now().Add(2*time.Hour), time.Minute))
		Expect(tokens[1]).To(And(HaveField("Name", "idp-2"), HaveField("ExpirationTime", BeNil())))

		Expect(refused(o.namespace, "token rotate okta")).To(ContainSubstring("more than one token; name one of: idp, idp-2"))
		third := strings.TrimSpace(scim(o.namespace, "token rotate okta idp-2 --overlap=0"))
		Expect(o.knows(third)).To(Equal(http.StatusOK))
		Eventually(o.knows).WithArguments(second).Should(Equal(http.StatusUnauthorized))
		Expect(o.directory(ctx).Spec.Tokens).To(HaveExactElements(HaveField("Name", "idp"), HaveField("Name", "idp-3")))
	})

	It("has ended after a rotation if it had before", func(ctx context.Context) {
		d := o.directory(ctx)
		ended := metav1.NewTime(time.Now().Add(-time.Hour).Truncate(time.Second))
		d.Spec.Tokens[0].ExpirationTime = &ended
		Expect(installed.Admin.Update(ctx, d)).To(Succeed())
		printed, err := run(o.namespace, "token rotate okta")
		Expect(err).NotTo(HaveOccurred(), printed.err)
		Expect(printed.err).To(HaveSuffix("Token idp has ended. Enter the new one in the identity provider now.\n"))
		Expect(o.directory(ctx).Spec.Tokens[0].ExpirationTime.Time).To(BeTemporally("==", ended.Time))
	})

	It("is tested as Okta tests it", func(ctx context.Context) {
		o.user("ada@example.com", "Ada")
		Expect(scim(o.namespace, "directory test okta")).To(Equal(o.baseURL() + "\nok      read users: 1 user\nok      read groups: 0 groups\n"))
		file := filepath.Join(GinkgoT().TempDir(), "token")
		Expect(os.WriteFile(file, []byte(o.token+"\n"), 0o600)).To(Succeed())
		scim(o.namespace, "directory test okta --token-file", file)
		printed, err := with(o.token, o.namespace, "directory test okta --token-file -")
		Expect(err).NotTo(HaveOccurred(), printed.err)
		scim(o.namespace, "directory test okta --secret idp")

		tested := func(line string) string {
			GinkgoHelper()
			printed, err := run(o.namespace, "directory test okta "+line)
			Expect(err).To(HaveOccurred())
			Expect(printed.out + printed.err).NotTo(ContainSubstring(o.token))
			return printed.out + printed.err
		}
		other := v1alpha1.NewToken()
		Expect(tested("--token " + other)).To(ContainSubstring("failed  read users: 401: the token is not one of this directory that works: it ends in " +
			other[len(other)-4:] + "; the directory's tokens end otherwise: idp in " + o.token[len(o.token)-4:]))
		Expect(tested("--token short")).To(ContainSubstring("too short"))
		Expect(tested("--base-url http://127.0.0.1:1/scim")).To(ContainSubstring("127.0.0.1:1 cannot be reached"))
		Expect(tested("--base-url http://scim.invalid")).To(ContainSubstring("no such host as scim.invalid"))
		Expect(tested("--base-url " + strings.Replace(running.URL, "http:", "https:", 1))).To(ContainSubstring("does not speak TLS"))
		Expect(tested("--base-url " + running.URL)).To(ContainSubstring("404"))
		Expect(tested("--secret nothing")).To(ContainSubstring(`there is no Secret "nothing"`))

		d := o.directory(ctx)
		d.Spec.Tokens[0].ExpirationTime = new(metav1.NewTime(time.Now().Add(-time.Hour)))
		Expect(installed.Admin.Update(ctx, d)).To(Succeed())
		Eventually(tested).WithArguments("--secret idp").Should(ContainSubstring("it is token idp, which expired at "))
	})
})

var _ = Describe("Directories", func() {
	It("are listed, and the errors say which there are", func(ctx context.Context) {
		o := found(ctx)
		Eventually(scim).WithArguments(o.namespace, "directory list").Should(And(
			table("NAME PRIMARY USERS ACTIVE GROUPS HELD LAST CALL STATE AGE"), MatchRegexp(`(?m)^okta +yes +0 +0 +0 +0 +\S+ ago +Ready `)))
		Expect(scim("default", "directory list -A")).To(MatchRegexp(`(?m)^` + o.namespace + ` +okta +yes `))
		Expect(refused("default", "directory describe okta")).To(ContainSubstring("okta (-n " + o.namespace + ")"))
		Expect(scim(o.namespace, "directory list -o name")).To(Equal("scimdirectory.scim-operator.io/okta\n"))
	})
})

var _ = Describe("The replayer", func() {
	It("plays a provider against a directory, when it may", func(ctx context.Context) {
		o := found(ctx)
		Expect(refused(o.namespace, "replay okta okta")).To(ContainSubstring("Push made-up people and groups into directory okta"))
		Expect(scim(o.namespace, "replay okta okta --yes --users=4 --groups=1 --app=wizard")).To(And(
			ContainSubstring("push people"), HaveSuffix("4 users and 1 group are on the server as Okta pushed them.\n")))
		Expect(scim(o.namespace, "replay entra okta --yes --users=4 --groups=1 --dialect=compliant")).To(ContainSubstring("as Entra ID pushed them."))
	})
})
