package controllers

import (
	"context"
	"log/slog"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// accessChange is what became of the roles that a person has through a directory.
type accessChange struct {
	namespace, directory string
	// user is the name of the ScimUser, which may be gone.
	user string
	// reason is why, as the status of the member says it.
	reason        string
	before, after []v1alpha1.RoleGrant
	// request is the SCIM request that it follows from, empty if that is not known.
	request string
	// version is the resource version of the member before. Events about the same state are counted as one, and a role that
	// comes again follows from another request.
	version string
}

// compare says which roles came and went, and through which groups they are had or were; each sorted.
func (c accessChange) compare() (granted, revoked, groups []string) {
	one := func(from, to []v1alpha1.RoleGrant) (roles []string) {
		had := map[string]bool{}
		for _, g := range from {
			had[g.Role] = true
		}
		for _, g := range to {
			if !had[g.Role] {
				roles = append(roles, g.Role)
				groups = append(groups, g.Groups...)
			}
		}
		slices.Sort(roles)
		return roles
	}
	granted, revoked = one(c.before, c.after), one(c.after, c.before)
	slices.Sort(groups)
	return granted, revoked, slices.Compact(groups)
}

// accessReporter tells of roles that people gained and lost: by Events on the ScimUser, and in the audit log.
type accessReporter struct {
	events events.EventRecorder
	// granted takes the Events of roles that came, of which there can be very many.
	granted events.EventRecorder
	audit   *slog.Logger
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=scimtombstones,verbs=get

// reportAccess tells what became of the roles of the member seen, now that this is on record, and by which request. A local
// member has none from a directory.
func (k kube) reportAccess(ctx context.Context, seen *v1alpha1.AppMembership, grants []v1alpha1.RoleGrant, reason, request string) {
	if ref := seen.Spec.UserRef; ref != nil {
		k.report(ctx, accessChange{
			seen.Namespace, ref.Directory, ref.Name, reason, seen.Status.Grants, grants, request, seen.ResourceVersion,
		})
	}
}

// requestOf is requestFor of the member seen.
func (k kube) requestOf(ctx context.Context, seen *v1alpha1.AppMembership, grants []v1alpha1.RoleGrant) string {
	if seen.Spec.UserRef == nil {
		return ""
	}
	return k.requestFor(ctx, seen.Namespace, seen.Spec.UserRef.Name, seen.Status.Grants, grants)
}

// requestFor is the SCIM request that a person's roles change by, if they do. It is asked for before the change shows: what is
// requested from then on may follow from it, but is not behind it.
func (k kube) requestFor(ctx context.Context, namespace, user string, before, after []v1alpha1.RoleGrant) string {
	granted, revoked, groups := accessChange{before: before, after: after}.compare()
	if len(granted)+len(revoked) == 0 {
		return ""
	}
	request, err := k.requestBehind(ctx, namespace, user, groups)
	if err != nil {
		log.FromContext(ctx).Error(err, "Could not find out which request a change of roles comes from")
	}
	return request
}

// removeMember deletes the member seen, and tells of what the person has lost by that.
func (k kube) removeMember(ctx context.Context, seen *v1alpha1.AppMembership, reason, request string) error {
	removed, err := k.removeSeen(ctx, seen.DeepCopy())
	if removed {
		k.reportAccess(ctx, seen, nil, reason, request)
	}
	return err
}

// report tells of a change. Without a difference there is nothing to tell.
func (k kube) report(ctx context.Context, c accessChange) {
	granted, revoked, groups := c.compare()
	if len(granted)+len(revoked) == 0 {
		return
	}
	operation := v1alpha1.EventRoleGranted
	if len(granted) == 0 {
		operation = v1alpha1.EventRoleRevoked
	}
	k.access.audit.LogAttrs(ctx, slog.LevelInfo, "grant",
		slog.String("request", c.request),
		slog.String("namespace", c.namespace),
		slog.String("directory", c.directory),
		slog.String("operation", operation),
		slog.String("resource", "ScimUser/"+c.user),
		slog.Any("granted", orEmpty(granted)),
		slog.Any("revoked", orEmpty(revoked)),
		slog.Any("groups", orEmpty(groups)),
		slog.String("reason", c.reason))

	by := "ScimDirectory " + c.directory
	if c.request != "" {
		by += ", request " + c.request
	}
	for _, role := range granted {
		tell(k.access.granted, c, role, v1alpha1.EventRoleGranted, "Grant", "the person has the role "+role+" now: granted by "+by)
	}
	for _, role := range revoked {
		tell(k.access.events, c, role, v1alpha1.EventRoleRevoked, "Revoke", "the person has lost the role "+role+": taken back by "+by)
	}
}

func tell(recorder events.EventRecorder, c accessChange, role, reason, action, note string) {
	recorder.Eventf(
		&v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: c.user, ResourceVersion: c.version}},
		&v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: role}},
		corev1.EventTypeNormal, reason, action, "%s", note)
}

// requestBehind is the id of the SCIM request that last changed something that the roles depend on: the user, or the groups
// with the slices that hold the person. It is empty when that is gone, for then no object says who removed it; only a
// deleted user leaves a tombstone that does.
func (k kube) requestBehind(ctx context.Context, namespace, person string, groups []string) (string, error) {
	user, err := find[v1alpha1.ScimUser](ctx, k, namespace, person)
	if err != nil {
		return "", err
	}
	if user == nil {
		var tombstone v1alpha1.ScimTombstone
		_, err := k.goneLive(ctx, &tombstone, namespace, person)
		return tombstone.Annotations[v1alpha1.RequestAnnotation], err
	}
	objects := []client.Object{user}
	below := descendFrom()
	for _, name := range groups {
		g, err := find[v1alpha1.ScimGroup](ctx, k, namespace, name)
		if err != nil || g == nil {
			return "", err
		}
		below.add(g)
	}
	for g := below.next(); g != nil; g = below.next() {
		inner, _, err := k.groupsIn(ctx, g)
		if err != nil {
			return "", err
		}
		below.add(inner...)
		homes, err := k.homesIn(ctx, g, person, inner)
		if err != nil {
			return "", err
		}
		objects = append(append(objects, g), homes...)
	}
	return latestRequest(objects), nil
}

// homesIn are the slices of a group in which a person, and the groups in it, have their place.
func (k kube) homesIn(ctx context.Context, g *v1alpha1.ScimGroup, person string, inner []*v1alpha1.ScimGroup,
) (homes []client.Object, err error) {
	if g.Spec.Membership == nil {
		return nil, nil
	}
	ids := []string{person}
	for _, in := range inner {
		ids = append(ids, in.Name)
	}
	for _, id := range ids {
		name := v1alpha1.SliceName(g.Name, g.Spec.Membership.Epoch, v1alpha1.HomeShard(id, g.Spec.Membership.Shards))
		s, err := find[v1alpha1.ScimMemberSlice](ctx, k, g.Namespace, name)
		if err != nil {
			return nil, err
		}
		if s != nil {
			homes = append(homes, s)
		}
	}
	return homes, nil
}

// latestRequest is the request of the object that the SCIM server changed last.
func latestRequest(objects []client.Object) string {
	changed := func(o client.Object) time.Time {
		at, err := time.Parse(time.RFC3339, o.GetAnnotations()[v1alpha1.LastModifiedAnnotation])
		if err != nil {
			return o.GetCreationTimestamp().Time
		}
		return at
	}
	last := slices.MaxFunc(objects, func(a, b client.Object) int { return changed(a).Compare(changed(b)) })
	return last.GetAnnotations()[v1alpha1.RequestAnnotation]
}

// orEmpty makes an absent list an empty one, so that every record has the same form.
func orEmpty(list []string) []string { return append([]string{}, list...) }
