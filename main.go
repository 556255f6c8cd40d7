// Command scim-operator receives SCIM 2.0 provisioning from identity providers, keeps it as custom resources, and turns it
// into an app's roles and memberships.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel/trace"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/cli"
	"github.com/scim-operator/scim-operator/controllers"
	"github.com/scim-operator/scim-operator/scimserver"
	"github.com/scim-operator/scim-operator/scimserver/audit"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// version is set when the binary is built.
var version = "dev"

// shutdownTimeout is longer than the SCIM server needs to finish what it has accepted, and shorter than the pod's
// terminationGracePeriodSeconds.
const shutdownTimeout = 30 * time.Second

// auditTimeout is how long the last records of the audit log may take to be written, after all else has ended.
const auditTimeout = 5 * time.Second

type options struct {
	scim, controllers          bool
	externalURL                string
	trustForwarded             bool
	scimAddress                string
	certFile, keyFile          string
	requestsPerSecond          float64
	maxStaleness               time.Duration
	metricsAddress             string
	probeAddress               string
	pprofAddress               string
	leaderElect                bool
	leaderElectionNamespace    string
	targetNetworks             string
	targetInterval             time.Duration
	auditLog                   string
	consoleAddress             string
	development, printsVersion bool
}

func (o *options) bind(f *flag.FlagSet) {
	f.BoolVar(&o.scim, "scim", true, "serve SCIM")
	f.BoolVar(&o.controllers, "controllers", true, "run the controllers")
	f.StringVar(&o.externalURL, "external-url", "", "the address under which identity providers reach the SCIM server, such as https://scim.example.com (required)")
	f.BoolVar(&o.trustForwarded, "trust-forwarded-headers", false, "take the address of resources from X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix instead of --external-url, the client's in the logs from the end of X-Forwarded-For, and the trace to be continued from traceparent; only behind a proxy that sets them or takes them out")
	f.StringVar(&o.scimAddress, "scim-bind-address", ":8080", "the address on which the SCIM server listens")
	f.StringVar(&o.certFile, "tls-cert-file", "", "a certificate in PEM for the SCIM server, read again when it changes; plain HTTP without it")
	f.StringVar(&o.keyFile, "tls-key-file", "", "the key of --tls-cert-file in PEM")
	f.Float64Var(&o.requestsPerSecond, "requests-per-second", 100, "how many SCIM requests each token may make on average; 0 for any number")
	f.DurationVar(&o.maxStaleness, "max-staleness", 30*time.Second, "for how long reads go on while Kubernetes cannot be watched, before they are answered 503")
	f.StringVar(&o.metricsAddress, "metrics-bind-address", ":9090", "the address on which metrics are served in plain HTTP; 0 for none")
	f.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "the address on which /healthz and /readyz are served")
	f.StringVar(&o.pprofAddress, "pprof-bind-address", "", "the address on which /debug/pprof is served, such as 127.0.0.1:6060; none by default")
	f.BoolVar(&o.leaderElect, "leader-elect", false, "run the controllers on one of several replicas at a time; the SCIM server runs on all")
	f.StringVar(&o.leaderElectionNamespace, "leader-election-namespace", "", "the namespace of the leader's Lease; that of the pod by default")
	f.StringVar(&o.targetNetworks, "target-networks", "", "networks of private addresses that AppTargets may call, such as 10.96.0.0/12,fd00::/8; without it they reach public addresses only")
	f.DurationVar(&o.targetInterval, "target-interval", 30*time.Second, "how often each AppTarget's system is read for what others changed in it")
	f.StringVar(&o.auditLog, "audit-log", audit.Stdout, "where the audit log goes: stdout, or a file, which is opened anew when it was moved away")
	f.StringVar(&o.consoleAddress, "console-bind-address", "", "the address on which the console for administrators is served in plain HTTP, such as :8082; none by default")
	f.BoolVar(&o.development, "development", false, "log in a form for people to read")
	f.BoolVar(&o.printsVersion, "version", false, "print the version and exit")
}

func (o *options) check() error {
	external, err := url.Parse(o.externalURL)
	switch {
	case !o.scim && !o.controllers:
		return errors.New("--scim=false and --controllers=false leave nothing to do")
	case err != nil || (external.Scheme != "https" && external.Scheme != "http") || external.Host == "":
		return fmt.Errorf("--external-url=%q is not an address such as https://scim.example.com", o.externalURL)
	case external.RawQuery != "" || external.Fragment != "" || external.User != nil:
		return errors.New("--external-url must have no user, query or fragment")
	case (o.certFile == "") != (o.keyFile == ""):
		return errors.New("--tls-cert-file and --tls-key-file go together")
	case o.requestsPerSecond < 0:
		return errors.New("--requests-per-second must not be negative; 0 allows any number")
	case o.maxStaleness <= 0:
		return errors.New("--max-staleness must be positive")
	case o.targetInterval < time.Second:
		return errors.New("--target-interval must be at least one second")
	case o.auditLog == "":
		return errors.New("--audit-log must be stdout or the path of a file")
	}
	if o.consoleAddress != "" && !o.scim {
		return errors.New("--console-bind-address needs --scim: the console finds people in the SCIM server's index")
	}
	if _, err := networks(o.targetNetworks); err != nil {
		return err
	}
	o.externalURL = strings.TrimRight(o.externalURL, "/")
	return nil
}

// networks reads a list of networks.
func networks(list string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for word := range strings.SplitSeq(list, ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(word)
		if err != nil {
			return nil, fmt.Errorf("--target-networks: %q is not a network such as 10.96.0.0/12", word)
		}
		all = append(all, prefix.Masked())
	}
	return all, nil
}

func main() {
	if arguments, plugin := cli.Arguments(os.Args); plugin {
		os.Exit(cli.Run(arguments, version))
	}
	var o options
	o.bind(flag.CommandLine)
	flag.Parse()
	if o.printsVersion {
		fmt.Println("scim-operator", version)
		return
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "scim-operator:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if flag.NArg() > 0 {
		return fmt.Errorf("unknown argument %q; see --help", flag.Arg(0))
	}
	if err := o.check(); err != nil {
		return err
	}
	log := newLogger(os.Stderr, o.development)
	ctrl.SetLogger(log)
	limitMemory(slogger(log, "memory"))
	klog.SetLogger(log) // what Kubernetes' client says, such as why it cannot watch
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("no cluster: %w", err)
	}
	// The API server's own fairness keeps clients apart.
	config.QPS = -1
	tracing, err := startTracing(context.Background(), log.WithName("tracing"))
	if err != nil {
		return err
	}
	defer tracing.end(tracingTimeout)
	tracing.around(config)
	ctx, end := context.WithCancel(ctrl.SetupSignalHandler())
	defer end()
	var server *scimserver.Server
	mgr, err := newManager(config, o, log, untilEnd(ctx, func(ctx context.Context) error {
		if server == nil {
			return nil
		}
		return server.Store.WaitForSync(ctx)
	}))
	if err != nil {
		return err
	}
	auditLog, err := audit.Open(o.auditLog, audit.Options{Log: slogger(log, "audit"), Registerer: metrics.Registry})
	if err != nil {
		return err
	}
	defer auditLog.Close(auditTimeout)
	metrics.Registry.MustRegister(buildInfo())
	recorder := newPacedEvents(mgr.GetEventRecorder(v1alpha1.FieldManager), log.WithName("events"))
	if err := mgr.Add(recorder); err != nil {
		return err
	}
	if o.controllers {
		reachable, err := networks(o.targetNetworks)
		if err != nil {
			return err
		}
		if err := controllers.SetupWithManager(mgr, controllers.Options{
			ExternalURL: o.externalURL, TargetNetworks: reachable, TargetInterval: o.targetInterval, Events: recorder,
			Audit: auditLog.Logger(), Registerer: metrics.Registry, TracerProvider: tracing.consequences,
		}); err != nil {
			return err
		}
	}
	if o.scim {
		if server, err = newServer(mgr, config, o, log, recorder, auditLog.Logger(), tracing.requests); err != nil {
			return err
		}
		if err := addConsole(mgr, config, o, server.Store, slogger(log, "console")); err != nil {
			return err
		}
	}
	for _, add := range []func(string, healthz.Checker) error{mgr.AddHealthzCheck, mgr.AddReadyzCheck} {
		if err := add("ping", healthz.Ping); err != nil {
			return err
		}
	}
	if server == nil {
		return mgr.Start(ctx)
	}
	return runBeside(ctx, end, mgr, server.Start)
}

// newManager returns a manager whose caches begin to read after first.
func newManager(config *rest.Config, o options, log logr.Logger, first func(context.Context) error) (manager.Manager, error) {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		Cache:                   controllers.CacheOptions(),
		NewCache:                readingAfter(first),
		Logger:                  log,
		Metrics:                 metricsserver.Options{BindAddress: o.metricsAddress},
		HealthProbeBindAddress:  o.probeAddress,
		PprofBindAddress:        o.pprofAddress,
		LeaderElection:          o.leaderElect && o.controllers,
		LeaderElectionID:        "controllers.scim-operator.io",
		LeaderElectionNamespace: o.leaderElectionNamespace,
		// The next leader need not wait: this process ends right after.
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       new(shutdownTimeout),
	})
	if err != nil {
		return nil, fmt.Errorf("set up the manager: %w", err)
	}
	return mgr, nil
}

func slogger(log logr.Logger, name string) *slog.Logger {
	return slog.New(logr.ToSlogHandler(log.WithName(name)))
}

func newServer(mgr manager.Manager, config *rest.Config, o options, log logr.Logger, recorder events.EventRecorder,
	auditLog *slog.Logger, requests trace.TracerProvider,
) (*scimserver.Server, error) {
	s, err := store.New(config, store.Options{
		MaxStaleness: o.maxStaleness, Log: log.WithName("store"), Events: recorder,
		Registerer: metrics.Registry,
	})
	if err != nil {
		return nil, err
	}
	scimLog := slogger(log, "scim")
	server := &scimserver.Server{
		BindAddress: o.scimAddress,
		Handler: scimserver.New(s, scimserver.Options{
			ExternalURL:           o.externalURL,
			TrustForwardedHeaders: o.trustForwarded,
			RequestsPerSecond:     o.requestsPerSecond,
			Log:                   scimLog,
			Audit:                 auditLog,
			Registerer:            metrics.Registry,
			TracerProvider:        requests,
		}),
		Store: s,
		Log:   scimLog,
	}
	if o.certFile != "" {
		watcher, err := certwatcher.New(o.certFile, o.keyFile)
		if err != nil {
			return nil, fmt.Errorf("the certificate for TLS: %w", err)
		}
		server.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return watcher.GetCertificate(hello) }
		if err := mgr.Add(watcher); err != nil {
			return nil, err
		}
	}
	if err := mgr.AddReadyzCheck("scim", func(*http.Request) error { return s.Fresh() }); err != nil {
		return nil, err
	}
	return server, nil
}
