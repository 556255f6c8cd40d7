package cli

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

const (
	callTimeout = 60 * time.Second
	// maxAnswer bounds an answer.
	maxAnswer = 64 << 20
)

// caller says how commands call the SCIM server: where, and with which token.
type caller struct {
	baseURL, token, tokenFile, secret string
}

func (r *caller) bind(flags *pflag.FlagSet) {
	flags.StringVar(&r.baseURL, "base-url", "", "address to call (default: the base URL in the directory's status)")
	flags.StringVar(&r.token, "token", "", "token to call with; others on this machine may see it: better use --token-file")
	flags.StringVar(&r.tokenFile, "token-file", "", "file with the token to call with; - for standard input")
	flags.StringVar(&r.secret, "secret", "", "Secret with the token to call with (default: one of the directory's, if it holds a token and not only a hash)")
}

// endpoint is a directory's SCIM server.
type endpoint struct{ baseURL, token string }

// endpoint finds where and with what to call. An error says what to give.
func (r *caller) endpoint(ctx context.Context, c *cluster, d *v1alpha1.ScimDirectory) (endpoint, error) {
	e := endpoint{baseURL: strings.TrimRight(r.baseURL, "/")}
	if e.baseURL == "" {
		e.baseURL = d.Status.BaseURL
	}
	if e.baseURL == "" {
		return e, fmt.Errorf("directory %s has no base URL yet: is the operator running? Else give --base-url", d.Name)
	}
	var err error
	e.token, err = r.findToken(ctx, c, d)
	return e, err
}

func (r *caller) findToken(ctx context.Context, c *cluster, d *v1alpha1.ScimDirectory) (string, error) {
	switch {
	case r.token != "":
		return strings.TrimSpace(r.token), nil
	case r.tokenFile == "-":
		content, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<16))
		return strings.TrimSpace(string(content)), err
	case r.tokenFile != "":
		content, err := os.ReadFile(r.tokenFile)
		return strings.TrimSpace(string(content)), err
	case r.secret != "":
		secret, err := view.Find[corev1.Secret](ctx, c.Reader, r.secret)
		switch {
		case err != nil:
			return "", err
		case secret == nil:
			return "", fmt.Errorf("there is no Secret %q in namespace %q", r.secret, c.Namespace)
		case secret.Type != v1alpha1.TokenSecretType || len(secret.Data[v1alpha1.TokenSecretKey]) == 0:
			return "", fmt.Errorf("secret %s is not of type %s with the key %s", r.secret, v1alpha1.TokenSecretType, v1alpha1.TokenSecretKey)
		}
		return strings.TrimSpace(string(secret.Data[v1alpha1.TokenSecretKey])), nil
	}
	for _, t := range d.Spec.Tokens {
		if t.ExpirationTime != nil && !time.Now().Before(t.ExpirationTime.Time) {
			continue
		}
		secret, err := view.Find[corev1.Secret](ctx, c.Reader, t.SecretRef.Name)
		if err != nil {
			return "", err
		}
		if secret != nil && secret.Type == v1alpha1.TokenSecretType && len(secret.Data[v1alpha1.TokenSecretKey]) > 0 {
			return strings.TrimSpace(string(secret.Data[v1alpha1.TokenSecretKey])), nil
		}
	}
	return "", fmt.Errorf("the cluster holds no token of directory %s that works, only hashes; give one with --token-file", d.Name)
}

// refusal is an answer that is not what was asked for, in words.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

var scimClient = &http.Client{
	Timeout: callTimeout,
	// A token must not follow to another place.
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// get reads a resource into answer. An error says in words what is wrong, and is a *refusal if there was an answer.
func (e endpoint) get(ctx context.Context, path string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.baseURL+path, nil)
	if err != nil {
		return fmt.Errorf("%q is not an address", e.baseURL)
	}
	request.Header.Set("Authorization", "Bearer "+e.token)
	request.Header.Set("Accept", "application/scim+json")
	response, err := scimClient.Do(request)
	if err != nil {
		return unreachable(e.baseURL, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return unreachable(e.baseURL, err)
	}
	if response.StatusCode == http.StatusOK {
		if err := json.Unmarshal(body, answer); err == nil {
			return nil
		}
	}
	return &refusal{response.StatusCode, whatItMeans(response, body)}
}

// unreachable says why there was no answer.
func unreachable(address string, err error) error {
	host := address
	if u, parseErr := url.Parse(address); parseErr == nil {
		host = u.Host
	}
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return fmt.Errorf("no such host as %s: correct the operator's --external-url, or add the name to DNS", host)
	case errors.As(err, &authority):
		return fmt.Errorf("the certificate of %s is signed by nobody whom this machine trusts; identity providers trust public authorities only", host)
	case errors.As(err, &name), errors.As(err, &invalid):
		return fmt.Errorf("the certificate of %s is not good: %w", host, errors.Unwrap(err))
	case errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("%s does not speak TLS: the base URL begins with https, the server behind it serves plain HTTP", host)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s does not answer: a firewall or a NetworkPolicy may keep this machine out", host)
	default:
		return fmt.Errorf("%s cannot be reached: is the Service or Ingress in place? %w", host, errors.Unwrap(err))
	}
}

// whatItMeans says what an answer means that is no resource.
func whatItMeans(response *http.Response, body []byte) string {
	var problem struct {
		Schemas []string `json:"schemas"`
		Detail  string   `json:"detail"`
	}
	_ = json.Unmarshal(body, &problem)
	ours := slices.Contains(problem.Schemas, "urn:ietf:params:scim:api:messages:2.0:Error")
	status := response.Status
	switch code := response.StatusCode; {
	case code >= 300 && code < 400:
		return fmt.Sprintf("%s, to %s: identity providers do not follow; make that the operator's --external-url, or stop the redirect", status, response.Header.Get("Location"))
	case !ours && code == http.StatusOK:
		return "the answer is not SCIM, but perhaps a sign-in page of a proxy: let /scim/v2 through to the operator"
	case !ours:
		return fmt.Sprintf("%s, and not by the operator: something in front of it answers; let /scim/v2 through", status)
	case code == http.StatusUnauthorized:
		return "401: the token is not one of this directory that works"
	case problem.Detail != "":
		return fmt.Sprintf("%s: %s", status, problem.Detail)
	default:
		return status
	}
}

// calling is a command that calls the SCIM server of a directory.
func (s *session) calling(command *cobra.Command, r *caller, call func(context.Context, *cluster, *v1alpha1.ScimDirectory, endpoint) error) *cobra.Command {
	command.Args = cobra.ExactArgs(1)
	command.ValidArgsFunction = s.completingDirectories()
	command.RunE = func(command *cobra.Command, args []string) error {
		c, err := s.connect()
		if err != nil {
			return err
		}
		d, err := c.directory(command.Context(), args[0])
		if err != nil {
			return err
		}
		e, err := r.endpoint(command.Context(), c, d)
		if err != nil {
			return err
		}
		return call(command.Context(), c, d, e)
	}
	r.bind(command.Flags())
	return command
}
