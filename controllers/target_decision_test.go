package controllers

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

func TestTargetReadiness(t *testing.T) {
	grant := []targets.Grant{{Subject: "ada", Entitlement: "admin"}}
	enforce := func(t *v1alpha1.AppTarget) { t.Spec.Mode = v1alpha1.TargetEnforce }
	gone := func(t *v1alpha1.AppTarget) { enforce(t); t.DeletionTimestamp = new(metav1.Now()) }
	blocked := map[string]targets.Obstacle{
		"b": {Reason: v1alpha1.ReasonTargetRefused, Message: "b may not be read"},
		"a": {Reason: v1alpha1.ReasonNotOurs, Message: "a is others'"},
		"c": {Reason: v1alpha1.ReasonNotOurs, Message: "a is others'"}, // one thing in the way of two
	}
	for name, c := range map[string]struct {
		is      func(*v1alpha1.AppTarget)
		report  targets.Report
		failure error
		words   string
	}{
		"in sync":  {is: enforce, words: "true settled InSync: every grant is as it should be"},
		"left out": {is: enforce, report: targets.Report{LeftOut: 2, Why: "no email"}, words: "true settled InSync: every grant is as it should be; 2 people with a role are left out (no email)"},
		"by default it observes": {report: targets.Report{Plan: targets.Plan{Grant: grant}},
			words: "true settled Observed: mode is Observe: 1 grants would be made and 0 taken back; see status.plan"},
		"at work": {is: enforce, report: targets.Report{Plan: targets.Plan{Revoke: grant}},
			words: "false reconciling Applying: 0 grants are to be made and 1 to be taken back"},
		"what is in the way is named in order": {is: enforce, report: targets.Report{Blocked: blocked},
			words: "false stalled NotOurs: a is others' (and 1 more)"},
		"an observer says what is in the way, too": {report: targets.Report{Blocked: blocked},
			words: "false stalled NotOurs: a is others' (and 1 more)"},
		"invalid": {is: enforce, failure: fmt.Errorf("open: %w", targets.Invalidate("no such Secret")),
			words: "false stalled InvalidSpec: open: no such Secret"},
		"refused": {is: enforce, failure: targets.Refuse("forbidden"), words: "false stalled TargetRefused: forbidden"},
		"down":    {is: enforce, failure: errors.New("no answer"), words: "false reconciling TargetUnreachable: no answer"},
		"ending": {is: gone, report: targets.Report{Plan: targets.Plan{Revoke: grant}},
			words: "false reconciling Applying: the target is being deleted: 0 grants are to be made and 1 to be taken back; set deletionPolicy: Orphan to leave what is there and let the target go"},
		"ending with a system that is down": {is: gone, failure: errors.New("no answer"),
			words: "false reconciling TargetUnreachable: the target is being deleted: no answer; set deletionPolicy: Orphan to leave what is there and let the target go"},
	} {
		t.Run(name, func(t *testing.T) {
			target := &v1alpha1.AppTarget{}
			if c.is != nil {
				c.is(target)
			}
			r := targetReadiness(target, c.report, c.failure)
			progress := map[progress]string{settled: "settled", reconciling: "reconciling", stalled: "stalled"}[r.progress]
			if words := fmt.Sprintf("%t %s %s: %s", r.ready, progress, r.reason, r.message); words != c.words {
				t.Errorf("it is %q, not %q", words, c.words)
			}
		})
	}
}

func TestEndOfATarget(t *testing.T) {
	observed := targets.Report{Observed: true}
	for name, c := range map[string]struct {
		report targets.Report
		left   bool
	}{
		"nothing is there":              {observed, false},
		"nothing is known":              {targets.Report{}, true},
		"something of ours is there":    {targets.Report{Observed: true, Grants: 1}, true},
		"something cannot be looked at": {targets.Report{Observed: true, Blocked: map[string]targets.Obstacle{"a": {Reason: v1alpha1.ReasonTargetRefused}}}, true},
		"something others made":         {targets.Report{Observed: true, Blocked: map[string]targets.Obstacle{"a": {Reason: v1alpha1.ReasonNotOurs}}}, false},
	} {
		if nothingLeft(c.report) == c.left {
			t.Errorf("%s: nothingLeft is %t", name, !c.left)
		}
	}
}

func TestPersonOfATarget(t *testing.T) {
	role := func(name string) v1alpha1.AppRole { return v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Name: name}} }
	called := role("viewer")
	called.Status.DisplayName = "Readers"
	ended := role("ended")
	ended.DeletionTimestamp = new(metav1.Now())
	roles := []v1alpha1.AppRole{called, role("admin"), ended}
	member := &v1alpha1.AppMembership{}
	member.Spec.Roles = []string{"viewer", "ended", "admin", "unknown"}

	names := func(t *v1alpha1.AppTarget) string {
		carried := carriedBy(t, roles)
		var words []string
		for _, r := range carried {
			words = append(words, r.Name+"="+r.DisplayName)
		}
		return strings.Join(append(words, personOf(member, carried).Roles...), " ")
	}
	target := &v1alpha1.AppTarget{}
	if is, want := names(target), "admin=admin viewer=Readers admin viewer"; is != want {
		t.Errorf("without spec.roles: %q, not %q", is, want)
	}
	target.Spec.Roles = []string{"viewer", "ended", "missing"}
	if is, want := names(target), "viewer=Readers viewer"; is != want {
		t.Errorf("with spec.roles: %q, not %q", is, want)
	}
}

func TestWhatTakesSomethingAway(t *testing.T) {
	m := func(active bool, roles ...string) *v1alpha1.AppMembership {
		return &v1alpha1.AppMembership{Spec: v1alpha1.AppMembershipSpec{
			User: v1alpha1.MemberIdentity{UserName: "ada"}, Active: active, Roles: roles,
		}}
	}
	renamed := m(true, "a")
	renamed.Spec.User.UserName = "lovelace"
	gone := m(true, "a")
	gone.DeletionTimestamp = new(metav1.Now())
	if loses(m(true, "a"), m(true, "a", "b")) || loses(m(false), m(true, "a")) {
		t.Error("gaining something loses something")
	}
	for i, after := range []*v1alpha1.AppMembership{nil, gone, renamed, m(false, "a"), m(true, "b"), m(true)} {
		if !loses(m(true, "a"), after) {
			t.Errorf("change %d takes nothing away", i)
		}
	}
}

func TestTargetOfANewerVersion(t *testing.T) {
	target := &v1alpha1.AppTarget{}
	_, err := kindOf(target).Open(t.Context(), targets.Environment{Target: target})
	if r := targetReadiness(target, targets.Report{}, err); r.reason != v1alpha1.ReasonInvalidSpec || !strings.Contains(r.message, "upgrade the operator") {
		t.Errorf("%+v", r)
	}
}
