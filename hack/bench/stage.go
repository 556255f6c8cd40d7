package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/uuid"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
)

const (
	namespace = "bench"
	token     = "bench-token-0123456789-0123456789-0123456789"
)

// The directories: one that is written to, and a small and a large one that are read.
const (
	written = "written"
	small   = "small"
	large   = "large"

	// smallUsers is how many people the small directory and its group have.
	smallUsers = 100
)

// stage is a control plane with what is measured on it.
type stage struct {
	plane  *controlplane.ControlPlane
	dir    string
	binary string
	// The operator and what it is compared with are ServiceAccounts of one namespace, so that the API server puts them in the
	// same queue: an administrator would pass by all others.
	operatorKubeconfig, bareKubeconfig string
	// admin works with the operator's kinds, bare with copies of ScimUser and AppMembership that no operator watches: what
	// a bare client writes must not cost the operator anything.
	admin, bare client.WithWatch
	// groups are the ids of the groups whose members are all people of the small and of the large directory.
	groups map[string]string
}

func setTheStage(ctx context.Context, binary string) (_ *stage, err error) {
	binary, err = filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(binary); err != nil {
		return nil, fmt.Errorf("%w: run make build", err)
	}
	plane, err := controlplane.Start(ctx, controlplane.Options{Progress: os.Stderr})
	if err != nil {
		return nil, err
	}
	s := &stage{plane: plane, binary: binary, groups: map[string]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.clear())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "scim-bench-"); err != nil {
		return nil, err
	}
	// Without the admission policies: the stage is filled with what they let nobody but the operator write.
	if err := plane.GiveRights(ctx); err != nil {
		return nil, err
	}
	if s.operatorKubeconfig, err = s.account(controlplane.OperatorAccount); err != nil {
		return nil, err
	}
	if s.bareKubeconfig, err = s.account(bareAccount); err != nil {
		return nil, err
	}
	unthrottled := rest.CopyConfig(plane.Config)
	unthrottled.QPS = -1
	if s.admin, err = newClient(unthrottled, v1alpha1.AddToScheme, clientgoscheme.AddToScheme); err != nil {
		return nil, err
	}
	if err := installBareKinds(unthrottled, "scimusers", "appmemberships"); err != nil {
		return nil, err
	}
	if err := s.admin.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: bareAccount},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: controlplane.AccountName(bareAccount)}},
	}); err != nil {
		return nil, err
	}
	if err := plane.UntilMay(ctx, bareAccount, authorizationv1.ResourceAttributes{
		Verb: "create", Group: bareGroup.Group, Resource: "scimusers",
	}); err != nil {
		return nil, err
	}
	bare, err := clientcmd.BuildConfigFromFlags("", s.bareKubeconfig)
	if err != nil {
		return nil, err
	}
	bare.QPS = -1
	if s.bare, err = newClient(bare, addBareKinds); err != nil {
		return nil, err
	}
	return s, s.furnish(ctx)
}

// bareAccount is the ServiceAccount of what the operator is compared with.
const bareAccount = "bare-client"

// account writes the kubeconfig of a ServiceAccount of the operator's namespace, and returns where it is.
func (s *stage) account(name string) (string, error) {
	kubeconfig, err := s.plane.AccountKubeconfig(name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(s.dir, name+".kubeconfig")
	return path, os.WriteFile(path, kubeconfig, 0o600)
}

func newClient(config *rest.Config, kinds ...func(*runtime.Scheme) error) (client.WithWatch, error) {
	scheme := runtime.NewScheme()
	for _, add := range kinds {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return client.NewWithWatch(config, client.Options{Scheme: scheme})
}

var bareGroup = schema.GroupVersion{Group: "bench.scim-operator.io", Version: "v1alpha1"}

func addBareKinds(s *runtime.Scheme) error {
	for kind, object := range map[string]runtime.Object{
		"ScimUser": &v1alpha1.ScimUser{}, "ScimUserList": &v1alpha1.ScimUserList{}, "AppMembership": &v1alpha1.AppMembership{}, "AppMembershipList": &v1alpha1.AppMembershipList{},
	} {
		s.AddKnownTypeWithName(bareGroup.WithKind(kind), object)
	}
	metav1.AddToGroupVersion(s, bareGroup)
	return nil
}

// installBareKinds installs the CRDs of these resources once more, under another group.
func installBareKinds(config *rest.Config, resources ...string) error {
	root, err := controlplane.Root()
	if err != nil {
		return err
	}
	var crds []*apiextensionsv1.CustomResourceDefinition
	for _, resource := range resources {
		raw, err := os.ReadFile(filepath.Join(controlplane.CRDs(root), "scim-operator.io_"+resource+".yaml"))
		if err != nil {
			return err
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(raw, crd); err != nil {
			return err
		}
		crd.Name, crd.Spec.Group = resource+"."+bareGroup.Group, bareGroup.Group
		crds = append(crds, crd)
	}
	_, err = envtest.InstallCRDs(config, envtest.CRDInstallOptions{CRDs: crds})
	return err
}

// furnish makes the namespace with its directories, of which the written one grants a role.
func (s *stage) furnish(ctx context.Context) error {
	for _, name := range []string{namespace, verifiedNamespace} {
		if err := s.admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
	}
	role := &v1alpha1.AppRole{ObjectMeta: named("member"), Spec: v1alpha1.AppRoleSpec{Default: true}}
	if err := s.admin.Create(ctx, role); err != nil {
		return err
	}
	for _, name := range []string{written, small, large} {
		if err := s.directory(ctx, namespace, name, name == written); err != nil {
			return err
		}
	}
	return nil
}

// directory makes a directory to which the token opens the door.
func (s *stage) directory(ctx context.Context, namespace, name string, primary bool) error {
	d := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	d.Spec.Primary = primary
	d.Spec.Tokens = []v1alpha1.DirectoryToken{{Name: "bench", SecretRef: v1alpha1.SecretReference{Name: name}}}
	if err := s.admin.Create(ctx, d); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(token))
	return s.admin.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: v1alpha1.TokenSecretType,
		StringData: map[string]string{v1alpha1.TokenSecretHashKey: hex.EncodeToString(sum[:])},
	})
}

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: name} }

// clear ends what was started and removes what was written.
func (s *stage) clear() error {
	return errors.Join(s.plane.Stop(), os.RemoveAll(s.dir))
}

// people fills a directory, and a group of it with as many of them, without the operator.
func (s *stage) people(ctx context.Context, directory string, users, members int) error {
	ids := make([]string, users)
	if _, err := perSecond(ctx, users, func(ctx context.Context, i int) error {
		u := userObject(directory, i)
		ids[i] = u.Name
		return s.admin.Create(ctx, u)
	}); err != nil {
		return err
	}
	g := &v1alpha1.ScimGroup{ObjectMeta: named(uuid.Must(uuid.NewV7()).String())}
	g.Spec.DirectoryRef.Name, g.Spec.DisplayName = directory, "Everybody"
	shards := int32(1)
	for members/int(shards) > 400 {
		shards *= 2
	}
	g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "aaaaaaaa", Shards: shards}
	homes := make([][]string, shards)
	for _, id := range ids[:members] {
		home := v1alpha1.HomeShard(id, shards)
		homes[home] = append(homes[home], id)
	}
	for shard, home := range homes {
		slices.Sort(home)
		slice := &v1alpha1.ScimMemberSlice{ObjectMeta: named(v1alpha1.SliceName(g.Name, "aaaaaaaa", int32(shard)))}
		slice.Spec = v1alpha1.ScimMemberSliceSpec{
			DirectoryRef: g.Spec.DirectoryRef, Group: g.Name, Epoch: "aaaaaaaa", Shard: int32(shard), Members: home,
		}
		if err := s.admin.Create(ctx, slice); err != nil {
			return err
		}
	}
	s.groups[directory] = g.Name
	return s.admin.Create(ctx, g)
}
