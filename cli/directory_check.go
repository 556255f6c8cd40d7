package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

// checkResult is what a directory's test found.
type checkResult struct {
	Directory string  `json:"directory"`
	BaseURL   string  `json:"baseURL"`
	Works     bool    `json:"works"`
	Checks    []check `json:"checks"`
}

type check struct {
	What   string `json:"what"`
	Works  bool   `json:"works"`
	Remark string `json:"remark"`
}

func (s *session) directoryTestCommand() *cobra.Command {
	r := &caller{}
	return s.calling(&cobra.Command{
		Use:   "test NAME",
		Short: "Call the SCIM server as Okta's own test does, and say in words what is wrong",
	}, r, func(ctx context.Context, c *cluster, d *v1alpha1.ScimDirectory, e endpoint) error {
		result := c.try(ctx, d, e)
		err := s.show(result, nameOf(kindDirectory, d.Name), func() error {
			s.line("%s", bold(e.baseURL))
			for _, step := range result.Checks {
				mark := good("ok    ")
				if !step.Works {
					mark = bad("failed")
				}
				s.line("%s  %s: %s", mark, step.What, step.Remark)
			}
			return nil
		})
		if err == nil && !result.Works {
			err = fmt.Errorf("an identity provider cannot use directory %s like this", d.Name)
		}
		return err
	})
}

// try makes the calls of Okta's test until one fails.
func (c *cluster) try(ctx context.Context, d *v1alpha1.ScimDirectory, e endpoint) checkResult {
	result := checkResult{Directory: d.Name, BaseURL: e.baseURL}
	for _, step := range []struct{ what, path, one, many string }{
		{"read users", "/Users?startIndex=1&count=2", "user", "users"},
		{"read groups", "/Groups?startIndex=1&count=100", "group", "groups"},
	} {
		var list struct {
			Schemas      []string `json:"schemas"`
			TotalResults *int     `json:"totalResults"`
		}
		err := e.get(ctx, step.path, &list)
		var answered *refusal
		switch {
		case errors.As(err, &answered) && answered.status == http.StatusUnauthorized:
			err = errors.New(answered.message + ": " + c.tokenAdvice(ctx, d, e.token))
		case err == nil && list.TotalResults == nil:
			err = errors.New("the answer is JSON, but no list of SCIM: the base URL is another server's")
		}
		if err != nil {
			result.Checks = append(result.Checks, check{step.what, false, err.Error()})
			return result
		}
		result.Checks = append(result.Checks, check{step.what, true, counted(*list.TotalResults, step.one, step.many)})
	}
	result.Works = true
	return result
}

// tokenAdvice says what is known of a token that was refused, without telling any of it.
func (c *cluster) tokenAdvice(ctx context.Context, d *v1alpha1.ScimDirectory, token string) string {
	if len(token) < v1alpha1.MinTokenLength {
		return "it is too short to be one; was it copied whole?"
	}
	sum := sha256.Sum256([]byte(token))
	var ends []string
	for _, t := range d.Spec.Tokens {
		secret, err := view.Find[corev1.Secret](ctx, c.Reader, t.SecretRef.Name)
		if err != nil || secret == nil {
			continue
		}
		known, err := v1alpha1.ReadTokenSecret(string(secret.Type), secret.Data)
		switch {
		case err != nil:
		case known.SHA256 != sum:
			if known.LastFour != "" {
				ends = append(ends, t.Name+" in "+known.LastFour)
			}
		case t.ExpirationTime != nil && !time.Now().Before(t.ExpirationTime.Time):
			return fmt.Sprintf("it is token %s, which expired at %s; make another one with `kubectl scim token rotate`", t.Name, t.ExpirationTime.UTC().Format(time.RFC3339))
		default:
			return fmt.Sprintf("it is token %s, which should work: the server at this address may be another cluster's", t.Name)
		}
	}
	if len(ends) == 0 {
		return "make one with `kubectl scim token create " + d.Name + "`"
	}
	return fmt.Sprintf("it ends in %s; the directory's tokens end otherwise: %s", token[len(token)-4:], strings.Join(ends, ", "))
}
