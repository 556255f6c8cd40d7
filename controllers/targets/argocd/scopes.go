package argocd

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

const (
	scopesKey = "scopes"
	// claimSub is looked at whatever the scopes are.
	claimSub = "sub"
)

// maxScopes bounds what a condition repeats of them.
const maxScopes = 1000

// defaultScopes are those of a ConfigMap that names none.
var defaultScopes = []string{"groups"}

// scopesMatch says whether Argo CD looks at a claim, and if not, what to set.
func scopesMatch(configMap, claim string, data map[string]string) targets.Condition {
	if claim == claimSub {
		return match("Argo CD looks at the claim sub whatever scopes is in " + configMap)
	}
	scopes, err := scopesIn(data)
	set := func(scopes []string) string { return "'[" + strings.Join(scopes, ", ") + "]'" }
	switch {
	case err != nil || len(data[scopesKey]) > maxScopes:
		return mismatch("scopes in %s is not a list of a few names: set it to %s; until then, what is written has no effect",
			configMap, set(append(slices.Clone(defaultScopes), claim)))
	case !slices.Contains(scopes, claim):
		return mismatch("scopes in %s is %s: set it to %s; until then, what is written has no effect, because people are named by "+
			"their claim %s", configMap, set(scopes), set(append(slices.Clone(scopes), claim)), claim)
	default:
		return match(fmt.Sprintf("scopes in %s names the claim %s", configMap, claim))
	}
}

func match(message string) targets.Condition {
	return targets.Condition{Type: v1alpha1.ConditionScopesMatch, True: true, Reason: v1alpha1.ReasonScopesMatch, Message: message}
}

func mismatch(format string, args ...any) targets.Condition {
	return targets.Condition{Type: v1alpha1.ConditionScopesMatch, Reason: v1alpha1.ReasonScopesMismatch,
		Message: fmt.Sprintf(format, args...)}
}

// scopesIn reads the list as Argo CD does.
func scopesIn(data map[string]string) ([]string, error) {
	text := data[scopesKey]
	if text == "" {
		return defaultScopes, nil
	}
	scopes := []string{}
	err := yaml.Unmarshal([]byte(text), &scopes)
	return scopes, err
}
