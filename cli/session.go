package cli

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli/view"
)

// session is one run of the plugin: how it reaches the cluster, and how it speaks.
type session struct {
	loading   *clientcmd.ClientConfigLoadingRules
	overrides clientcmd.ConfigOverrides
	format    format
	colours   bool
}

func newSession() *session {
	return &session{
		loading: clientcmd.NewDefaultClientConfigLoadingRules(),
		format:  formatTable,
		colours: isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
}

// bind adds those of kubectl's own flags that say which cluster, which namespace and as whom.
func (s *session) bind(flags *pflag.FlagSet) {
	flags.StringVar(&s.loading.ExplicitPath, clientcmd.RecommendedConfigPathFlag, "", "path of the kubeconfig (default: KUBECONFIG, or ~/.kube/config)")
	clientcmd.BindOverrideFlags(&s.overrides, flags, clientcmd.ConfigOverrideFlags{
		CurrentContext: clientcmd.FlagInfo{LongName: clientcmd.FlagContext, Description: "context of the kubeconfig"},
		ContextOverrideFlags: clientcmd.ContextOverrideFlags{
			ClusterName: clientcmd.FlagInfo{LongName: clientcmd.FlagClusterName, Description: "cluster of the kubeconfig"},
			Namespace:   clientcmd.FlagInfo{LongName: clientcmd.FlagNamespace, ShortName: "n", Description: "namespace of the directory (default: that of the context)"},
		},
		AuthOverrideFlags: clientcmd.AuthOverrideFlags{
			Impersonate:       clientcmd.FlagInfo{LongName: clientcmd.FlagImpersonate, Description: "user to act as"},
			ImpersonateGroups: clientcmd.FlagInfo{LongName: clientcmd.FlagImpersonateGroup, Description: "group to act as; may be repeated"},
		},
		Timeout: clientcmd.FlagInfo{LongName: clientcmd.FlagTimeout, Default: "0", Description: "how long one request to the cluster may take, such as 30s; 0 for any time"},
	})
	flags.VarP(&s.format, "output", "o", "table, wide, json, yaml or name")
}

// cluster is a connection to a cluster, and the namespace that commands are about.
type cluster struct{ *view.Reader }

// connect reads the kubeconfig. An error says what is wrong with it.
func (s *session) connect() (*cluster, error) {
	kubeconfig := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(s.loading, &s.overrides)
	config, err := kubeconfig.ClientConfig()
	if err != nil {
		return nil, err
	}
	namespace, _, err := kubeconfig.Namespace()
	if err != nil {
		return nil, err
	}
	// The API server's own fairness keeps clients apart.
	config.QPS = -1
	config.UserAgent = pluginName
	config.WarningHandler = rest.NewWarningWriter(os.Stderr, rest.WarningWriterOptions{Deduplicate: true})
	scheme := runtime.NewScheme()
	utilruntime.Must(corev1.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	c, err := client.New(config, client.Options{Scheme: scheme, Mapper: view.Kinds(scheme, v1alpha1.GroupVersion, corev1.SchemeGroupVersion)})
	if err != nil {
		return nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	return &cluster{&view.Reader{Client: c, Namespace: namespace}}, nil
}
