package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// sampleNamespace and sampleDirectory are those of config/samples/demo.yaml.
	sampleNamespace = "demo"
	sampleDirectory = "okta"
	readyTimeout    = time.Minute
)

// endpoint is what an identity provider is told.
type endpoint struct {
	baseURL, token string
}

// waitUntilServing returns when a client with the sample directory's token is answered.
func waitUntilServing(ctx context.Context, config *rest.Config, a addresses) (endpoint, error) {
	c, err := client.New(config, client.Options{})
	if err != nil {
		return endpoint{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()

	if err := await(ctx, "the operator is not ready", func() error { return get(ctx, a.readyURL(), "") }); err != nil {
		return endpoint{}, err
	}
	end := endpoint{baseURL: fmt.Sprintf("%s/scim/v2/%s/%s", a.externalURL(), sampleNamespace, sampleDirectory)}
	err = await(ctx, "the directory has no token", func() (err error) {
		end.token, err = readToken(ctx, c)
		return err
	})
	if err != nil {
		return endpoint{}, err
	}
	return end, await(ctx, "the SCIM server does not answer", func() error {
		return get(ctx, end.baseURL+"/ServiceProviderConfig", end.token)
	})
}

// await repeats the attempt until it succeeds. When ctx ends first, the error says what failed last.
func await(ctx context.Context, failure string, attempt func() error) error {
	for {
		err := attempt()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: %w", failure, context.Cause(ctx), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, url, token string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return nil
}

// readToken reads the plaintext of the directory's first token.
func readToken(ctx context.Context, c client.Client) (string, error) {
	object := &unstructured.Unstructured{}
	object.SetAPIVersion("scim-operator.io/v1alpha1")
	object.SetKind("ScimDirectory")
	if err := c.Get(ctx, client.ObjectKey{Namespace: sampleNamespace, Name: sampleDirectory}, object); err != nil {
		return "", err
	}
	name, err := tokenSecret(object)
	if err != nil {
		return "", err
	}
	secret := &corev1.Secret{}
	if err := c.Get(ctx, client.ObjectKey{Namespace: sampleNamespace, Name: name}, secret); err != nil {
		return "", err
	}
	token := string(secret.Data["token"])
	if token == "" {
		return "", fmt.Errorf("the Secret %s/%s holds no plaintext: delete it to have a new token made", sampleNamespace, name)
	}
	return token, nil
}

// tokenSecret names the Secret of the directory's first token.
func tokenSecret(directory *unstructured.Unstructured) (string, error) {
	tokens, _, err := unstructured.NestedSlice(directory.Object, "spec", "tokens")
	if err != nil {
		return "", err
	}
	if len(tokens) == 0 {
		return "", errors.New("spec.tokens is empty: add one with generate: true")
	}
	token, ok := tokens[0].(map[string]any)
	if !ok {
		return "", errors.New("spec.tokens[0] is not an object")
	}
	name, _, err := unstructured.NestedString(token, "secretRef", "name")
	return name, err
}
