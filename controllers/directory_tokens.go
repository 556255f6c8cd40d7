package controllers

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// tokenLook is what a look at one token's Secret found.
type tokenLook struct {
	spec     v1alpha1.DirectoryToken
	lastFour string
	// problem says why the Secret cannot be read as a token; empty when it can.
	problem string
	// remark is what there is to say of a token that works; mostly empty.
	remark string
}

// lookAtTokens reads the Secrets of the directory's tokens, makes those that are to be generated, and erases the plaintext
// that has served its purpose.
func (r *directoryReconciler) lookAtTokens(ctx context.Context, d *v1alpha1.ScimDirectory) ([]tokenLook, error) {
	looks := make([]tokenLook, 0, len(d.Spec.Tokens))
	for _, spec := range d.Spec.Tokens {
		look := tokenLook{spec: spec}
		secret, err := find[corev1.Secret](ctx, r, d.Namespace, spec.SecretRef.Name)
		if err == nil && secret == nil {
			secret, look.problem, err = r.tokenOutOfSight(ctx, d, spec)
		}
		if err != nil {
			return nil, fmt.Errorf("the Secret of token %q: %w", spec.Name, err)
		}
		if secret != nil {
			if secret, err = r.keepSecret(ctx, d, secret); err != nil {
				return nil, fmt.Errorf("the Secret of token %q: %w", spec.Name, err)
			}
			token, err := v1alpha1.ReadTokenSecret(string(secret.Type), secret.Data)
			look.lastFour = token.LastFour
			switch {
			case err != nil:
				look.problem = fmt.Sprintf("Secret %q cannot be read as a token: %v", secret.Name, err)
			case !erasable(d, spec, secret):
			case ptr.Deref(secret.Immutable, false):
				look.remark = fmt.Sprintf("token %q stays in Secret %q, which is immutable; replace it by one with tokenSHA256",
					spec.Name, secret.Name)
			default:
				if err := r.erase(ctx, d, spec.Name, secret, token); err != nil {
					return nil, fmt.Errorf("the Secret of token %q: %w", spec.Name, err)
				}
			}
		}
		looks = append(looks, look)
	}
	return looks, nil
}

// tokenOutOfSight looks live for a Secret that the cache, which holds only tokens, does not show: it is of another type,
// just made, or to be made.
func (r *directoryReconciler) tokenOutOfSight(ctx context.Context, d *v1alpha1.ScimDirectory,
	token v1alpha1.DirectoryToken,
) (found *corev1.Secret, problem string, err error) {
	name := token.SecretRef.Name
	var secret corev1.Secret
	err = r.live.Get(ctx, client.ObjectKey{Namespace: d.Namespace, Name: name}, &secret)
	switch {
	case err == nil && secret.Type == v1alpha1.TokenSecretType:
		return &secret, "", nil
	case err == nil:
		return nil, fmt.Sprintf("Secret %q is of type %s; a token must be of type %s",
			name, secret.Type, v1alpha1.TokenSecretType), nil
	case !apierrors.IsNotFound(err):
		return nil, "", err
	case token.Generate:
		made := tokenSecret(d, name)
		return made, "", r.Create(ctx, made)
	default:
		return nil, fmt.Sprintf("no Secret %q of type %s in this namespace", name, v1alpha1.TokenSecretType), nil
	}
}

// tokenSecret is a Secret with a new token that belongs to the directory.
func tokenSecret(d *v1alpha1.ScimDirectory, name string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       d.Namespace,
			Name:            name,
			Labels:          map[string]string{managedByLabel: v1alpha1.FieldManager},
			OwnerReferences: []metav1.OwnerReference{ownedBy(d)},
		},
		Type: v1alpha1.TokenSecretType,
		Data: map[string][]byte{v1alpha1.TokenSecretKey: []byte(v1alpha1.NewToken())},
	}
}

// tokensVerdict is what a directory's tokens amount to.
type tokensVerdict struct {
	tokens    []v1alpha1.DirectoryTokenStatus
	usable    bool
	condition condition
	// warnings are of the tokens that expire soon.
	warnings []expiryWarning
	// next is when the verdict changes by the time alone; zero when it does not.
	next time.Time
}

func (v tokensVerdict) untilNext(now time.Time) time.Duration {
	if v.next.IsZero() {
		return 0
	}
	return v.next.Sub(now)
}

// judgeTokens decides which tokens work now.
func judgeTokens(looks []tokenLook, now time.Time) tokensVerdict {
	var v tokensVerdict
	var problems, remarks []string
	reason := v1alpha1.ReasonTokensValid
	for _, l := range looks {
		status := v1alpha1.DirectoryTokenStatus{
			Name: l.spec.Name, State: v1alpha1.TokenValid, LastFour: l.lastFour, ExpirationTime: l.spec.ExpirationTime,
		}
		expired := l.spec.ExpirationTime != nil && !now.Before(l.spec.ExpirationTime.Time)
		if l.spec.ExpirationTime != nil && !expired {
			warning, next := expiry(l.spec.Name, l.spec.ExpirationTime.Time, now)
			if v.next.IsZero() || next.Before(v.next) {
				v.next = next
			}
			if warning.within != 0 {
				v.warnings = append(v.warnings, warning)
				remarks = append(remarks, warning.String())
			}
		}
		switch {
		case l.problem != "":
			status.State, reason = v1alpha1.TokenInvalid, v1alpha1.ReasonTokenInvalid
			problems = append(problems, fmt.Sprintf("token %q: %s", l.spec.Name, l.problem))
		case expired:
			status.State = v1alpha1.TokenExpired
			if reason == v1alpha1.ReasonTokensValid {
				reason = v1alpha1.ReasonTokenExpired
			}
			problems = append(problems, fmt.Sprintf("token %q: expired at %s; remove it, or set a later expirationTime",
				l.spec.Name, l.spec.ExpirationTime.UTC().Format(time.RFC3339)))
		default:
			v.usable = true
		}
		if l.remark != "" {
			remarks = append(remarks, l.remark)
		}
		v.tokens = append(v.tokens, status)
	}
	v.condition = tokensCondition(reason, problems, remarks, v)
	return v
}

func tokensCondition(reason string, problems, remarks []string, v tokensVerdict) condition {
	valid := reason == v1alpha1.ReasonTokensValid
	message := strings.Join(append(problems, remarks...), "; ")
	switch {
	case len(v.tokens) == 0:
		valid, reason = false, v1alpha1.ReasonNoToken
		message = "spec.tokens is empty, so that no identity provider can sign in; add a token"
	case valid && len(v.warnings) > 0:
		reason = v1alpha1.ReasonTokenExpiringSoon
	case message == "":
		message = "every token can be used"
	}
	return condition{v1alpha1.ConditionTokensValid, valid, reason, message}
}
