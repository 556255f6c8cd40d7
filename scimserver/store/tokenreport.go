package store

import (
	"cmp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	ac "github.com/scim-operator/scim-operator/api/applyconfiguration/api/v1alpha1"
	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// moment is when something was the case, to the second as Kubernetes keeps times, and what. The zero moment is never.
type moment struct {
	at   time.Time
	what string
}

func momentOf(at time.Time, what string) moment {
	return moment{at.UTC().Truncate(time.Second), what}
}

// reportedMoment is what a status says; never where it says no time.
func reportedMoment(at *metav1.Time, what string) moment {
	if at == nil {
		return moment{}
	}
	return momentOf(at.Time, what)
}

// later is the later of two moments. What they say decides between two of one second, in whatever way as long as every
// replica decides alike; of two versions of a Secret it is the later one that has more digits, or greater ones.
func later(a, b moment) moment {
	if cmp.Or(a.at.Compare(b.at), cmp.Compare(len(a.what), len(b.what)), cmp.Compare(a.what, b.what)) < 0 {
		return b
	}
	return a
}

// isNews says whether now is worth a write where before is what was reported: it is the first, it says something else, or
// it is that much later.
func isNews(before, now moment, resolution time.Duration) bool {
	return now != before && (before.at.IsZero() || now.what != before.what || now.at.Sub(before.at) >= resolution)
}

// mergeUse is what the status of a directory is to say of the use of its tokens, given what it says, what this replica
// has seen, and how much later a time must be to be news by itself. The report is to be applied to the state of the
// directory that it was made from. Tokens that the directory no longer has are left out.
func mergeUse(d *v1alpha1.ScimDirectory, seen map[string]tokenUse, resolution time.Duration) (report *ac.ScimDirectoryStatusApplyConfiguration, news bool) {
	reported := make(map[string]tokenUse, len(d.Status.Tokens))
	for _, t := range d.Status.Tokens {
		use := tokenUse{
			used:   reportedMoment(t.LastUsedTime, t.UsedSecretVersion),
			failed: reportedMoment(t.LastFailureTime, string(t.LastFailureReason)),
		}
		reported[t.Name] = use
		kept := slices.ContainsFunc(d.Spec.Tokens, func(s v1alpha1.DirectoryToken) bool { return s.Name == t.Name })
		news = news || !kept && use != tokenUse{}
	}
	report = ac.ScimDirectoryStatus()
	request := reportedMoment(d.Status.LastRequestTime, "").at
	for _, t := range d.Spec.Tokens {
		before := reported[t.Name]
		now := tokenUse{used: later(before.used, seen[t.Name].used), failed: later(before.failed, seen[t.Name].failed)}
		if now == (tokenUse{}) {
			continue
		}
		news = news || isNews(before.used, now.used, resolution) || isNews(before.failed, now.failed, resolution)
		token := ac.DirectoryTokenStatus().WithName(t.Name)
		if now.used != (moment{}) {
			token.WithLastUsedTime(metav1.NewTime(now.used.at)).WithUsedSecretVersion(now.used.what)
			request = latest(request, now.used.at)
		}
		if now.failed != (moment{}) {
			token.WithLastFailureTime(metav1.NewTime(now.failed.at)).WithLastFailureReason(v1alpha1.TokenFailure(now.failed.what))
			if now.failed.what == string(v1alpha1.TokenFailureScopeMissing) {
				request = latest(request, now.failed.at)
			}
		}
		report.WithTokens(token)
	}
	if !request.IsZero() {
		report.WithLastRequestTime(metav1.NewTime(request))
	}
	return report, news
}
