package controllers

import (
	"context"
	"slices"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// membershipReconciler gives each ScimUser the AppMembership that the person is to have.
type membershipReconciler struct {
	kube
	gate   *gate
	causes *causes
}

// +kubebuilder:rbac:groups=scim-operator.io,resources=scimdirectories;scimusers;scimgroups;scimmemberslices;approles,verbs=list;watch
// +kubebuilder:rbac:groups=scim-operator.io,resources=appmemberships,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=scim-operator.io,resources=scimusers/status;appmemberships/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

func (r *membershipReconciler) setup(mgr manager.Manager) error {
	t := triggers{r.kube}
	return ctrl.NewControllerManagedBy(mgr).
		Named("membership").
		WithOptions(workers(8)).
		Watches(&v1alpha1.ScimUser{}, r.causes.of(t.users())).
		Watches(&v1alpha1.ScimMemberSlice{}, r.causes.of(t.slices())).
		Watches(&v1alpha1.ScimGroup{}, r.causes.of(t.groups())).
		Watches(&v1alpha1.AppRole{}, t.roles()).
		Watches(&v1alpha1.ScimDirectory{}, t.directories()).
		Watches(&v1alpha1.AppMembership{}, t.members()).
		Watches(&v1alpha1.AppMembership{}, r.gate.newHolders()).
		Watches(&v1alpha1.AppRole{}, r.gate.unprotected()).
		WatchesRawSource(r.gate.people.source()).
		Complete(r.causes.record(r, func(result reconcile.Result) bool { return result.IsZero() }))
}

// Reconcile looks at everything that decides about one person, decides, and applies the difference.
func (r *membershipReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	p, err := r.look(ctx, req.Namespace, req.Name)
	if err != nil {
		return reconcile.Result{}, err
	}
	d := decideMembership(p)
	moreMayCome := d.action == provision && restored(p.directory) // of a backup that is being restored
	if disowned, err := r.disown(ctx, p.own, moreMayCome); err != nil || disowned {
		return retryConflict(reconcile.Result{RequeueAfter: soon}, err)
	}
	if d.action == release && len(p.own) > 0 {
		if certain, err := r.confirmRelease(ctx, p); err != nil || !certain {
			return reconcile.Result{RequeueAfter: soon}, err
		}
	}
	if d, err = r.guarded(ctx, p, d); err != nil {
		return retryConflict(reconcile.Result{}, err)
	}
	provisioned, err := r.provisionedTime(ctx, p, d)
	if err != nil {
		return reconcile.Result{}, err
	}
	if err := r.writeUserStatus(ctx, p.user, d, provisioned); err != nil || !d.again {
		return retryConflict(reconcile.Result{}, err)
	}
	return reconcile.Result{RequeueAfter: soon}, nil
}

// guarded acts on a decision, but for what the gate has the person keep, and returns what was done. The finalizer of a
// directory that is being deleted asks the gate itself.
func (r *membershipReconciler) guarded(ctx context.Context, p person, d decision) (decision, error) {
	if p.directory != nil && deleting(p.directory) {
		return d, r.act(ctx, p, d)
	}
	lost, err := removalOf(p, d)
	if err != nil {
		return d, err
	}
	own := p.own
	if d.member != nil {
		own = append(slices.Clone(own), d.member)
	}
	err = r.gate.carryOut(ctx, p.namespace, p.directory, lost, own, func(k keep) error {
		d = d.keeping(p, k)
		return r.act(ctx, p, d)
	})
	return d, err
}

// act makes the person's members as the decision says.
func (r *membershipReconciler) act(ctx context.Context, p person, d decision) error {
	keep := ""
	if d.action == provision {
		m, err := r.provision(ctx, p, d)
		if err != nil {
			return err
		}
		keep = m.Name
	}
	if d.action == leave {
		return nil
	}
	for _, m := range p.own {
		var err error
		switch {
		case m.Name == keep:
		case d.action == release && d.kept.access && m.Spec.Active:
			err = r.keepMember(ctx, m, d.kept)
		default:
			err = r.releaseMember(ctx, m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// confirmRelease asks the API server before access is taken away because something is missing from the cache: the caches
// of different kinds are not ordered against each other.
func (r *membershipReconciler) confirmRelease(ctx context.Context, p person) (bool, error) {
	switch {
	case p.user == nil:
		var user v1alpha1.ScimUser
		gone, err := r.goneLive(ctx, &user, p.namespace, p.id)
		return gone || deleting(&user), err
	case p.directory == nil:
		return r.goneLive(ctx, &v1alpha1.ScimDirectory{}, p.namespace, p.user.Spec.DirectoryRef.Name)
	default:
		return true, nil
	}
}

// look gathers what decides about one person.
func (r *membershipReconciler) look(ctx context.Context, namespace, id string) (person, error) {
	p := person{namespace: namespace, id: id}
	user, err := find[v1alpha1.ScimUser](ctx, r, namespace, id)
	if err != nil {
		return p, err
	}
	if user != nil && !deleting(user) {
		p.user = user
	}
	if p.own, err = r.membersBy(ctx, namespace, byUser, id); err != nil {
		return p, err
	}
	if p.primary, err = r.primaryOf(ctx, namespace); err != nil {
		return p, err
	}
	var who identified
	directory := ""
	switch {
	case p.user != nil && fromApp(p.user):
		return p, nil
	case p.user != nil:
		who, directory = &p.user.Spec, p.user.Spec.DirectoryRef.Name
	case len(p.own) > 0:
		who, directory = &p.own[0].Spec.User, p.own[0].Spec.UserRef.Directory
	default:
		return p, nil
	}
	if p.directory, err = find[v1alpha1.ScimDirectory](ctx, r, namespace, directory); err != nil {
		return p, err
	}
	if err := r.lookAtNamesakes(ctx, &p, who); err != nil {
		return p, err
	}
	if p.user == nil || p.directory == nil || directory != p.primary || p.conflict != "" {
		return p, nil
	}
	if len(p.own) == 0 {
		if p.free, err = r.freeMembers(ctx, p.directory, p.user); err != nil {
			return p, err
		}
	}
	if m := chooseMember(p); m != nil {
		if p.has, err = rolesAppliedBy(v1alpha1.FieldManager, m); err != nil {
			return p, err
		}
	}
	if p.user.Spec.Active {
		p.roles, err = r.lookAtRoles(ctx, &p)
	}
	return p, err
}

// lookAtNamesakes finds the conflict that the user is in, and the heir to the person's member.
func (r *membershipReconciler) lookAtNamesakes(ctx context.Context, p *person, who identified) error {
	if p.user != nil && p.directory != nil {
		conflict, err := r.userConflict(ctx, p.directory, p.user)
		if err != nil {
			return err
		}
		p.conflict = conflict
	}
	charge, err := r.directoryInCharge(ctx, p.namespace)
	if err != nil {
		return err
	}
	heirs, err := r.heirs(ctx, charge, who)
	if err != nil {
		return err
	}
	if p.user == nil {
		heirs = slices.DeleteFunc(heirs, func(u *v1alpha1.ScimUser) bool { return stranger(p.own[0], u) })
	}
	p.heirWaits, err = r.heirWaits(ctx, charge, heirs, p.id)
	return err
}

func (k kube) membersBy(ctx context.Context, namespace, index, value string) ([]*v1alpha1.AppMembership, error) {
	var list v1alpha1.AppMembershipList
	if err := k.list(ctx, &list, namespace, index, value); err != nil {
		return nil, err
	}
	var members []*v1alpha1.AppMembership
	for i := range list.Items {
		if m := &list.Items[i]; !deleting(m) {
			members = append(members, m)
		}
	}
	return members, nil
}

// lookAtRoles finds the person's standing in every group that grants a role.
func (r *membershipReconciler) lookAtRoles(ctx context.Context, p *person) ([]grantingRole, error) {
	var all v1alpha1.AppRoleList
	if err := r.listAll(ctx, &all, p.namespace); err != nil {
		return nil, err
	}
	roles := make([]grantingRole, 0, len(all.Items))
	for i := range all.Items {
		role := &all.Items[i]
		if deleting(role) {
			continue
		}
		g := grantingRole{name: role.Name, byDefault: role.Spec.Default, standings: map[string]standing{}}
		groups, err := r.groupsGranting(ctx, role, p.directory)
		if err != nil {
			return nil, err
		}
		for _, group := range groups {
			if g.standings[group.Name], err = r.standingWithin(ctx, group, p.id); err != nil {
				return nil, err
			}
		}
		roles = append(roles, g)
	}
	return roles, nil
}
