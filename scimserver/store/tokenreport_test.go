package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestMergeUse(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	after := func(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }
	at := func(seconds int) *metav1.Time { return new(metav1.NewTime(after(seconds).Local())) }
	used := func(seconds int, version string) tokenUse { return tokenUse{used: momentOf(after(seconds), version)} }
	failed := func(seconds int, why v1alpha1.TokenFailure) tokenUse {
		return tokenUse{failed: momentOf(after(seconds), string(why))}
	}
	reported := v1alpha1.DirectoryTokenStatus{Name: "a", State: v1alpha1.TokenValid, LastUsedTime: at(0), UsedSecretVersion: "9"}
	refused := v1alpha1.DirectoryTokenStatus{Name: "a", LastFailureTime: at(0), LastFailureReason: v1alpha1.TokenFailureExpired}
	tests := []struct {
		name   string
		status []v1alpha1.DirectoryTokenStatus
		seen   map[string]tokenUse
		want   string
		news   bool
	}{
		{"nothing", nil, nil, "", false},
		{"nothing but a state", []v1alpha1.DirectoryTokenStatus{{Name: "a", State: v1alpha1.TokenValid}}, nil, "", false},
		{"the first use", nil, map[string]tokenUse{"a": used(0, "9")}, "a used 0 with 9; request 0", true},
		{"one more", []v1alpha1.DirectoryTokenStatus{reported}, map[string]tokenUse{"a": used(299, "9")}, "a used 299 with 9; request 299", false},
		{"one five minutes later", []v1alpha1.DirectoryTokenStatus{reported}, map[string]tokenUse{"a": used(300, "9")}, "a used 300 with 9; request 300", true},
		{"another version of the Secret", []v1alpha1.DirectoryTokenStatus{reported}, map[string]tokenUse{"a": used(0, "10")}, "a used 0 with 10; request 0", true},
		{"an older version at the same time", []v1alpha1.DirectoryTokenStatus{reported}, map[string]tokenUse{"a": used(0, "8")}, "a used 0 with 9; request 0", false},
		{"what another replica has seen later", []v1alpha1.DirectoryTokenStatus{reported}, map[string]tokenUse{"a": used(-60, "8")}, "a used 0 with 9; request 0", false},
		{"news of one keeps the others", []v1alpha1.DirectoryTokenStatus{reported}, map[string]tokenUse{"b": used(60, "7")}, "a used 0 with 9; b used 60 with 7; request 60", true},
		{"the first failure", []v1alpha1.DirectoryTokenStatus{reported}, map[string]tokenUse{"a": failed(60, v1alpha1.TokenFailureScopeMissing)},
			"a used 0 with 9 failed 60: ScopeMissing; request 60", true},
		{"a failure without a valid token is no request", nil, map[string]tokenUse{"a": failed(60, v1alpha1.TokenFailureExpired)}, "a failed 60: Expired", true},
		{"the same failure again", []v1alpha1.DirectoryTokenStatus{refused}, map[string]tokenUse{"a": failed(60, v1alpha1.TokenFailureExpired)}, "a failed 60: Expired", false},
		{"another failure", []v1alpha1.DirectoryTokenStatus{refused}, map[string]tokenUse{"a": failed(60, v1alpha1.TokenFailureScopeMissing)}, "a failed 60: ScopeMissing; request 60", true},
		{"a token that was removed", []v1alpha1.DirectoryTokenStatus{reported, {Name: "old", LastUsedTime: at(0), UsedSecretVersion: "1"}}, nil, "a used 0 with 9; request 0", true},
		{"one of which nothing is reported", []v1alpha1.DirectoryTokenStatus{{Name: "old", State: v1alpha1.TokenExpired}}, nil, "", false},
		{"the use of one that was removed", nil, map[string]tokenUse{"old": used(0, "1")}, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := &v1alpha1.ScimDirectory{Spec: v1alpha1.ScimDirectorySpec{Tokens: []v1alpha1.DirectoryToken{{Name: "a"}, {Name: "b"}}}}
			d.Status.Tokens = test.status
			report, news := mergeUse(d, test.seen, 5*time.Minute)
			var said []string
			for _, token := range report.Tokens {
				text := *token.Name
				if token.LastUsedTime != nil {
					text += fmt.Sprintf(" used %d with %s", int(token.LastUsedTime.Sub(noon).Seconds()), *token.UsedSecretVersion)
				}
				if token.LastFailureTime != nil {
					text += fmt.Sprintf(" failed %d: %s", int(token.LastFailureTime.Sub(noon).Seconds()), *token.LastFailureReason)
				}
				if token.State != nil || token.ExpirationTime != nil || token.LastFour != nil {
					t.Error("claims what the controllers report")
				}
				said = append(said, text)
			}
			if report.LastRequestTime != nil {
				said = append(said, fmt.Sprintf("request %d", int(report.LastRequestTime.Sub(noon).Seconds())))
			}
			if got := strings.Join(said, "; "); got != test.want || news != test.news {
				t.Errorf("got  %s (news: %v)\nwant %s (news: %v)", got, news, test.want, test.news)
			}
		})
	}
	if _, news := mergeUse(&v1alpha1.ScimDirectory{
		Spec:   v1alpha1.ScimDirectorySpec{Tokens: []v1alpha1.DirectoryToken{{Name: "a"}}},
		Status: v1alpha1.ScimDirectoryStatus{Tokens: []v1alpha1.DirectoryTokenStatus{reported}},
	}, map[string]tokenUse{"a": used(1, "9")}, time.Second); !news {
		t.Error("the last report leaves out the last use")
	}
}
