package controlplane

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The operator is installed in this namespace, and is this ServiceAccount there.
const (
	OperatorNamespace = "scim-system"
	OperatorAccount   = "scim-operator"
)

// AccountName is who a ServiceAccount of the operator's namespace is to the API server.
func AccountName(account string) string {
	return "system:serviceaccount:" + OperatorNamespace + ":" + account
}

// One right by which to tell that a role has been given. The API server knows of one a moment after another.
var (
	ServerRight      = authorizationv1.ResourceAttributes{Verb: "update", Group: "scim-operator.io", Resource: "scimtombstones"}
	ControllersRight = authorizationv1.ResourceAttributes{Verb: "patch", Group: "scim-operator.io", Resource: "appmemberships"}
	LeaderRight      = authorizationv1.ResourceAttributes{
		Namespace: OperatorNamespace, Verb: "update", Group: "coordination.k8s.io", Resource: "leases",
	}
)

// GiveRights makes the operator's namespace, and its ServiceAccount with the rights that config/rbac gives it. It returns when
// the API server knows them, or an error when an object is refused.
func (c *ControlPlane) GiveRights(ctx context.Context) error {
	admin, err := client.New(c.Config, client.Options{})
	if err != nil {
		return err
	}
	system := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: OperatorNamespace}}
	if err := client.IgnoreAlreadyExists(admin.Create(ctx, system)); err != nil {
		return err
	}
	if err := c.applyConfig(ctx, "rbac"); err != nil {
		return err
	}
	return c.UntilMay(ctx, OperatorAccount, ServerRight, ControllersRight, LeaderRight)
}

// UntilMay returns when the API server lets a ServiceAccount of the operator's namespace do all of that, or an error when it
// does not within a minute.
func (c *ControlPlane) UntilMay(ctx context.Context, account string, rights ...authorizationv1.ResourceAttributes) error {
	clients, err := kubernetes.NewForConfig(c.Config)
	if err != nil {
		return err
	}
	for _, right := range rights {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: AccountName(account), Groups: accountGroups, ResourceAttributes: &right,
		}}
		err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
			answer, err := clients.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			return err == nil && answer.Status.Allowed, err
		})
		if err != nil {
			return fmt.Errorf("%s may not %s %s: %w", account, right.Verb, right.Resource, err)
		}
	}
	return nil
}

// Guard applies the policies of config/admission. It returns an error when one is refused.
func (c *ControlPlane) Guard(ctx context.Context) error { return c.applyConfig(ctx, "admission") }

func (c *ControlPlane) applyConfig(ctx context.Context, folder string) error {
	return Apply(ctx, c.Config, filepath.Join(c.root, "config", folder, "*.yaml"))
}

// AccountKubeconfig returns the content of a kubeconfig file of a ServiceAccount of the operator's namespace; RBAC says what
// it may do. It returns an error when no certificate can be signed.
func (c *ControlPlane) AccountKubeconfig(account string) ([]byte, error) {
	return c.Kubeconfig(AccountName(account), accountGroups...)
}

// accountGroups are those of the ServiceAccounts of the operator's namespace, and of nobody else.
var accountGroups = []string{"system:serviceaccounts", "system:serviceaccounts:" + OperatorNamespace}
