// Command argocd-rbac decides requests as the API server of Argo CD does, with its own code. It reads the data of the
// ConfigMap argocd-rbac-cm and the requests as JSON, and prints as JSON which ones are allowed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/argoproj/argo-cd/v3/pkg/client/listers/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/server/rbacpolicy"
	"github.com/argoproj/argo-cd/v3/util/assets"
	"github.com/argoproj/argo-cd/v3/util/rbac"
	"github.com/golang-jwt/jwt/v5"
	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/yaml"
)

const (
	namespace = "argocd"
	configMap = "argocd-rbac-cm"
)

type question struct {
	Data     map[string]string `json:"data"`
	Requests []request         `json:"requests"`
}

type request struct {
	Claims   jwt.MapClaims `json:"claims"`
	Resource string        `json:"resource"`
	Action   string        `json:"action"`
	Object   string        `json:"object"`
}

type answer struct {
	Allowed []bool `json:"allowed"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "argocd-rbac:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	var asked question
	if err := decoder.Decode(&asked); err != nil {
		return fmt.Errorf("read the question: %w", err)
	}
	enforcer, err := load(asked.Data)
	if err != nil {
		return err
	}
	answered := answer{Allowed: make([]bool, len(asked.Requests))}
	for i, r := range asked.Requests {
		answered.Allowed[i] = enforcer.Enforce(r.Claims, r.Resource, r.Action, r.Object)
	}
	return json.NewEncoder(out).Encode(answered)
}

// load sets the enforcer up as Argo CD's API server does when it starts, with no projects.
func load(data map[string]string) (*rbac.Enforcer, error) {
	clients := fake.NewClientset(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: configMap},
		Data:       data,
	})
	logrus.SetLevel(logrus.WarnLevel) // or it tells about the watch
	enforcer := rbac.NewEnforcer(clients, namespace, configMap, nil)
	projects := v1alpha1.NewAppProjectLister(cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{}))
	claims := rbacpolicy.NewRBACPolicyEnforcer(enforcer, projects.AppProjects(namespace))
	enforcer.SetClaimsEnforcerFunc(claims.EnforceClaims)
	if err := enforcer.SetBuiltinPolicy(assets.BuiltinPolicyCSV); err != nil {
		return nil, err
	}

	// The loader reads the ConfigMap before it watches; the watch has to end at once.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	err := enforcer.RunPolicyLoader(ctx, func(loaded *corev1.ConfigMap) error {
		defer cancel()
		var scopes []string
		if err := yaml.Unmarshal([]byte(loaded.Data[rbac.ConfigMapScopesKey]), &scopes); err != nil {
			return fmt.Errorf("%s in %s is no list: %w", rbac.ConfigMapScopesKey, configMap, err)
		}
		claims.SetScopes(scopes)
		return nil
	})
	return enforcer, err
}
