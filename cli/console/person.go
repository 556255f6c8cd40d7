package console

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"regexp"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	authenticationv1client "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1client "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

var (
	errNoToken      = errors.New("this is not a token of Kubernetes")
	errRefused      = errors.New("this token is not accepted by Kubernetes: it is wrong, or has expired")
	errTooManyTries = errors.New("too many wrong tokens from your address; wait a minute")
)

// bearer is what a token can be (RFC 6750 §2.1).
var bearer = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

var (
	scheme = func() *runtime.Scheme {
		s := runtime.NewScheme()
		utilruntime.Must(v1alpha1.AddToScheme(s))
		return s
	}()
	kinds = view.Kinds(scheme, v1alpha1.GroupVersion)
)

// person is whoever has signed in, for one request.
type person struct {
	// name is what Kubernetes calls them.
	name string
	// Client reads what they may read.
	client.Client
	reviews authorizationv1client.SelfSubjectAccessReviewsGetter
}

// person asks Kubernetes whose token it is. Each request does, so that a token ends at once. It returns errNoToken, errRefused
// or errTooManyTries, or another error when Kubernetes cannot be asked.
func (c *console) person(r *http.Request, token string) (*person, error) {
	if !bearer.MatchString(token) {
		return nil, errNoToken
	}
	hash, caller := sha256.Sum256([]byte(token)), c.Client(r)
	known := c.accepted.Contains(hash)
	if !known && c.failures.exceeded(caller) {
		return nil, errTooManyTries
	}
	config := rest.CopyConfig(c.cluster)
	config.BearerToken = token
	authentication, err := authenticationv1client.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	review, err := authentication.SelfSubjectReviews().Create(r.Context(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if apierrors.IsUnauthorized(err) {
		c.accepted.Remove(hash)
		c.failures.note(caller)
		return nil, errRefused
	}
	if err != nil {
		return nil, err
	}
	c.accepted.Add(hash, struct{}{})
	authorization, err := authorizationv1client.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	reader, err := client.New(config, client.Options{Scheme: scheme, Mapper: kinds})
	if err != nil {
		return nil, err
	}
	return &person{review.Status.UserInfo.Username, reader, authorization}, nil
}

// may says whether they may list all objects of a kind in a namespace.
func (p *person) may(ctx context.Context, namespace, resource string) (bool, error) {
	review, err := p.reviews.SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: namespace, Verb: "list", Group: v1alpha1.GroupVersion.Group, Version: v1alpha1.GroupVersion.Version, Resource: resource,
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}
