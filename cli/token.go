package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

// maxTokens is how many a directory may have.
const maxTokens = 16

var tokenName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func (s *session) tokenCommand() *cobra.Command {
	return parent("token", "Tokens of identity providers", s.tokenCreateCommand(), s.tokenRotateCommand(), s.tokenRevokeCommand())
}

// completingTokens offers directories, then the tokens of the one that was chosen.
func (s *session) completingTokens() cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) != 1 {
			return s.completingDirectories()(command, args, typed)
		}
		return s.completing(func(ctx context.Context, c *cluster) ([]string, error) {
			d, err := c.directory(ctx, args[0])
			if err != nil {
				return nil, err
			}
			return tokensOf(d), nil
		})(command, nil, typed)
	}
}

func tokensOf(d *v1alpha1.ScimDirectory) []string {
	names := make([]string, 0, len(d.Spec.Tokens))
	for _, t := range d.Spec.Tokens {
		names = append(names, t.Name)
	}
	return names
}

func tokenAt(d *v1alpha1.ScimDirectory, name string) int {
	return slices.IndexFunc(d.Spec.Tokens, func(t v1alpha1.DirectoryToken) bool { return t.Name == name })
}

// oneToken is the name of the token that is meant: the one given, or the only one. An error says which there are.
func oneToken(d *v1alpha1.ScimDirectory, args []string) (string, error) {
	all := strings.Join(tokensOf(d), ", ")
	switch {
	case len(d.Spec.Tokens) == 0:
		return "", fmt.Errorf("directory %s has no token; make one with `kubectl scim token create %s -n %s`", d.Name, d.Name, d.Namespace)
	case len(args) > 1 && tokenAt(d, args[1]) < 0:
		return "", fmt.Errorf("directory %s has no token %q; it has: %s", d.Name, args[1], all)
	case len(args) > 1:
		return args[1], nil
	case len(d.Spec.Tokens) == 1:
		return d.Spec.Tokens[0].Name, nil
	default:
		return "", fmt.Errorf("directory %s has more than one token; name one of: %s", d.Name, all)
	}
}

var counting = regexp.MustCompile(`-(\d{1,9})$`)

// freeTokenName counts on from a name until no token has it: okta, okta-2, okta-3. Names of tokens that ended are not used
// again while those that followed them are there, so that the audit log stays clear.
func freeTokenName(d *v1alpha1.ScimDirectory, like string) string {
	base, n := like, 1
	if found := counting.FindStringSubmatch(like); found != nil {
		base = strings.TrimSuffix(like, found[0])
		n, _ = strconv.Atoi(found[1]) // nine digits are a number
	}
	for {
		n++
		suffix := "-" + strconv.Itoa(n)
		name := strings.TrimRight(base[:min(len(base), 63-len(suffix))], "-") + suffix
		if tokenAt(d, name) < 0 {
			return name
		}
	}
}

// fresh is a token that was just made. Only the Secret's hash of it is ever stored.
type fresh struct {
	Directory      string       `json:"directory"`
	Name           string       `json:"name"`
	Secret         string       `json:"secret"`
	BaseURL        string       `json:"baseURL"`
	ExpirationTime *metav1.Time `json:"expirationTime,omitempty"`
	Token          string       `json:"token"`
}

// hand adds a new token to a directory, and changes the directory's other tokens as it is told, in one write.
func (c *cluster) hand(ctx context.Context, d *v1alpha1.ScimDirectory, entry v1alpha1.DirectoryToken, change func(*v1alpha1.ScimDirectory) error) (*fresh, error) {
	if !tokenName.MatchString(entry.Name) {
		return nil, fmt.Errorf("a token cannot be called %q: use at most 63 lower-case letters, digits and hyphens", entry.Name)
	}
	token := v1alpha1.NewToken()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: d.Namespace, GenerateName: d.Name + "-" + entry.Name + "-",
			Labels: map[string]string{"app.kubernetes.io/managed-by": pluginName},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.GroupVersion.String(), Kind: kindDirectory, Name: d.Name, UID: d.UID,
			}},
		},
		Type: v1alpha1.TokenSecretType,
		Data: v1alpha1.FingerprintOf(token).SecretData(),
	}
	if err := c.Create(ctx, secret, client.FieldOwner(pluginName)); err != nil {
		return nil, err
	}
	entry.SecretRef.Name = secret.Name
	err := c.edit(ctx, d, func(d *v1alpha1.ScimDirectory) error {
		switch {
		case tokenAt(d, entry.Name) >= 0:
			return fmt.Errorf("directory %s has a token %q already; choose another name, or use `kubectl scim token rotate`", d.Name, entry.Name)
		case len(d.Spec.Tokens) >= maxTokens:
			return fmt.Errorf("directory %s has %d tokens, which is the most; revoke one first: %s", d.Name, maxTokens, strings.Join(tokensOf(d), ", "))
		}
		d.Spec.Tokens = append(d.Spec.Tokens, entry)
		return change(d)
	})
	if err != nil {
		// Nobody has seen the token: its hash is of no use.
		return nil, errors.Join(err, client.IgnoreNotFound(c.Delete(context.WithoutCancel(ctx), secret)))
	}
	return &fresh{d.Name, entry.Name, secret.Name, d.Status.BaseURL, entry.ExpirationTime, token}, nil
}

// edit changes a directory as it is then, whatever others change at the same time.
func (c *cluster) edit(ctx context.Context, d *v1alpha1.ScimDirectory, change func(*v1alpha1.ScimDirectory) error) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		now, err := c.directory(ctx, d.Name)
		if err != nil {
			return err
		}
		before := now.DeepCopy()
		if err := change(now); err != nil {
			return err
		}
		return c.Patch(ctx, now, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), client.FieldOwner(pluginName))
	})
}

// present prints a token, the only time that anybody sees it: alone on standard output, so that it can be piped to where it
// belongs, and what there is to say of it beside that.
func (s *session) present(f *fresh) error {
	err := s.show(f, nameOf(kindDirectory, f.Directory), func() error {
		_, err := fmt.Fprintln(os.Stdout, f.Token)
		return err
	})
	if err != nil {
		return fmt.Errorf("the new token %s could not be printed, and nothing can show it again; revoke it with `kubectl scim token revoke %s %s`: %w",
			f.Name, f.Directory, f.Name, err)
	}
	return nil
}

// untilValid waits until the operator has seen the token.
func (c *cluster) untilValid(ctx context.Context, f *fresh) error {
	err := wait.PollUntilContextTimeout(ctx, interval, patience, true, func(ctx context.Context) (bool, error) {
		d, err := c.directory(ctx, f.Directory)
		if err != nil {
			return false, err
		}
		f.BaseURL = d.Status.BaseURL
		return slices.ContainsFunc(d.Status.Tokens, func(t v1alpha1.DirectoryTokenStatus) bool {
			return t.Name == f.Name && t.State == v1alpha1.TokenValid
		}), nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		remark("The operator has not taken token %s up yet: is it running? `kubectl scim directory describe %s` tells when it has.", f.Name, f.Directory)
		return nil
	}
	return err
}

// end takes a token out of a directory's list, and returns its Secret, if nothing names that any more.
func end(d *v1alpha1.ScimDirectory, name string) (unused string) {
	at := tokenAt(d, name)
	if at < 0 {
		return ""
	}
	unused = d.Spec.Tokens[at].SecretRef.Name
	d.Spec.Tokens = slices.Delete(d.Spec.Tokens, at, at+1)
	if slices.ContainsFunc(d.Spec.Tokens, func(t v1alpha1.DirectoryToken) bool { return t.SecretRef.Name == unused }) {
		return ""
	}
	return unused
}

// discard deletes a Secret that was made for the directory. Those that others made are theirs.
func (c *cluster) discard(ctx context.Context, d *v1alpha1.ScimDirectory, name string) error {
	if name == "" {
		return nil
	}
	secret, err := view.Find[corev1.Secret](ctx, c.Reader, name)
	switch {
	case apierrors.IsForbidden(err):
		remark("You may not read Secret %s; it is of no use any more and can be deleted.", name)
		return nil
	case err != nil || secret == nil:
		return err
	case secret.Type != v1alpha1.TokenSecretType || !slices.ContainsFunc(secret.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == d.UID }):
		remark("Secret %s was not made for this directory and is left.", name)
		return nil
	default:
		return client.IgnoreNotFound(c.Delete(ctx, secret))
	}
}

// expirationOf is when a token that is made now expires; zero never.
func expirationOf(lifetime time.Duration) (*metav1.Time, error) {
	switch {
	case lifetime == 0:
		return nil, nil
	case lifetime < time.Minute:
		return nil, errors.New("--expires-in must be at least a minute, such as 2160h for 90 days")
	default:
		return new(metav1.NewTime(time.Now().Add(lifetime).Truncate(time.Second))), nil
	}
}
