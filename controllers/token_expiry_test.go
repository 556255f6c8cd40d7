package controllers

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestExpiry(t *testing.T) {
	for _, c := range []struct {
		name   string
		left   time.Duration
		within time.Duration
		next   time.Duration // from now
	}{
		{"far away", 31 * day, 0, day},
		{"30 days and a second", 30*day + time.Second, 0, time.Second},
		{"30 days", 30 * day, 30 * day, 23 * day},
		{"7 days and a second", 7*day + time.Second, 30 * day, time.Second},
		{"7 days", 7 * day, 7 * day, 6 * day},
		{"a day", day, day, day},
		{"a second", time.Second, day, time.Second},
	} {
		w, next := expiry("idp", noon.Add(c.left), noon)
		if w.within != c.within || !next.Equal(noon.Add(c.next)) {
			t.Errorf("%s: within %v, next in %v", c.name, w.within, next.Sub(noon))
		}
	}
}

func TestExpiryWarningNamesTokenAndDate(t *testing.T) {
	for within, words := range map[time.Duration]string{day: "in less than 1 day, ", 7 * day: "in less than 7 days, "} {
		got := expiryWarning{token: "idp", at: noon, within: within}.String()
		for _, want := range []string{`token "idp"`, words, "at 2026-01-01T12:00:00Z"} {
			if !strings.Contains(got, want) {
				t.Errorf("%q does not say %q", got, want)
			}
		}
	}
}

// TestTokensConditionSaysAll: a warning stays in the message beside a worse problem, for the message is the record of what
// was said.
func TestTokensConditionSaysAll(t *testing.T) {
	soon := metav1.NewTime(noon.Add(2 * day))
	v := judgeTokens([]tokenLook{
		{spec: v1alpha1.DirectoryToken{Name: "a", ExpirationTime: &soon}, remark: "the remark"},
		{spec: v1alpha1.DirectoryToken{Name: "b"}, problem: "the problem"},
	}, noon)
	for _, want := range []string{`token "b": the problem`, `token "a" expires in less than 7 days`, "the remark"} {
		if !strings.Contains(v.condition.message, want) {
			t.Errorf("%q does not say %q", v.condition.message, want)
		}
	}
}

func TestTokenExpiryMetric(t *testing.T) {
	okta := aDirectory("okta", 1, "")
	okta.Namespace = "ns"
	okta.Spec.Tokens = []v1alpha1.DirectoryToken{{Name: "old", ExpirationTime: new(metav1.NewTime(noon))}, {Name: "endless"}}
	k := reading(&okta)
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(tokenExpiries{k}); err != nil {
		t.Fatal(err)
	}
	series := func() string {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, f := range families {
			for _, m := range f.GetMetric() {
				line := []string{f.GetName()}
				for _, l := range m.GetLabel() {
					line = append(line, l.GetValue())
				}
				all = append(all, strings.Join(append(line, time.Unix(int64(m.GetGauge().GetValue()), 0).UTC().Format(time.RFC3339)), " "))
			}
		}
		return strings.Join(all, "\n")
	}
	if got := series(); got != "scim_token_expiry_timestamp_seconds okta ns old 2026-01-01T12:00:00Z" {
		t.Error(got)
	}
	okta.Spec.Tokens = okta.Spec.Tokens[1:]
	if err := k.Update(t.Context(), &okta); err != nil {
		t.Fatal(err)
	}
	if got := series(); got != "" {
		t.Errorf("after the token went: %s", got)
	}
}

func TestErasable(t *testing.T) {
	used := v1alpha1.DirectoryTokenStatus{Name: "idp", UsedSecretVersion: "7"}
	for _, c := range []struct {
		name   string
		policy v1alpha1.PlaintextPolicy
		status []v1alpha1.DirectoryTokenStatus
		key    string
		want   bool
	}{
		{"used", "EraseAfterFirstUse", []v1alpha1.DirectoryTokenStatus{used}, "token", true},
		{"not used", "EraseAfterFirstUse", []v1alpha1.DirectoryTokenStatus{{Name: "idp"}}, "token", false},
		{"another version used", "EraseAfterFirstUse", []v1alpha1.DirectoryTokenStatus{{Name: "idp", UsedSecretVersion: "6"}}, "token", false},
		{"another token used", "EraseAfterFirstUse", []v1alpha1.DirectoryTokenStatus{{Name: "new", UsedSecretVersion: "7"}}, "token", false},
		{"a hash", "EraseAfterFirstUse", []v1alpha1.DirectoryTokenStatus{used}, "tokenSHA256", false},
		{"to be kept", "Keep", []v1alpha1.DirectoryTokenStatus{used}, "token", false},
		{"to be kept by default", "", []v1alpha1.DirectoryTokenStatus{used}, "token", false},
	} {
		d := &v1alpha1.ScimDirectory{Status: v1alpha1.ScimDirectoryStatus{Tokens: c.status}}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{ResourceVersion: "7"}, Data: map[string][]byte{c.key: nil}}
		if got := erasable(d, v1alpha1.DirectoryToken{Name: "idp", Plaintext: c.policy}, secret); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// TestHashOnly: the same token, without its plaintext anywhere.
func TestHashOnly(t *testing.T) {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{
			corev1.LastAppliedConfigAnnotation: `{"stringData":{"token":"` + validToken + `"}}`, "other": "stays",
		}},
		Type: v1alpha1.TokenSecretType,
		Data: map[string][]byte{"token": []byte(validToken + "\n"), "note": []byte("stays")},
	}
	before, err := v1alpha1.ReadTokenSecret(string(secret.Type), secret.Data)
	if err != nil {
		t.Fatal(err)
	}
	erased := hashOnly(secret, before)
	after, err := v1alpha1.ReadTokenSecret(string(erased.Type), erased.Data)
	if err != nil || after != before {
		t.Errorf("it reads %v, %v", after, err)
	}
	if strings.Contains(erased.String(), validToken) {
		t.Error("the plaintext is still in it")
	}
	if string(erased.Data["note"]) != "stays" || erased.Annotations["other"] != "stays" || len(secret.Data) != 2 {
		t.Errorf("%+v from %+v", erased, secret)
	}
}

func TestReportedTokens(t *testing.T) {
	d := &v1alpha1.ScimDirectory{Status: v1alpha1.ScimDirectoryStatus{Tokens: []v1alpha1.DirectoryTokenStatus{
		{Name: "removed", UsedSecretVersion: "3"},
		{Name: "b", State: "Valid", UsedSecretVersion: "7", LastUsedTime: new(metav1.NewTime(noon))},
		{Name: "a", State: "Expired", LastFour: "abcd", ExpirationTime: new(metav1.NewTime(noon))},
	}}}
	want := []v1alpha1.DirectoryTokenStatus{
		{Name: "a", State: "Expired", LastFour: "abcd", ExpirationTime: new(metav1.NewTime(noon))}, {Name: "b", State: "Valid"},
	}
	if !sameTokens(reportedTokens(d), want) {
		t.Errorf("%+v", reportedTokens(d))
	}
	want[0].LastFour = "abce"
	if sameTokens(reportedTokens(d), want) {
		t.Error("a difference makes none")
	}
}
