package store

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8sschema "k8s.io/apimachinery/pkg/runtime/schema"
	k8sjson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/watch"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// wire is a client that reads, of what the API server sends about SCIM resources, no more than the store needs. A user who is
// created would else be parsed five times over: the answer twice, once for its kind, and what the watch shows three times.
//
// Writes are answered with metadata alone. What else there is of the object is what was sent, and the index shows what has
// become of it before the write is acknowledged.
type wire struct {
	client.WithWatch
	scheme *runtime.Scheme
	scim   *rest.RESTClient
}

// newWire is a client of the cluster.
func newWire(config *rest.Config) (*wire, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	config = rest.CopyConfig(config)
	config.WarningHandlerWithContext = log.NewKubeAPIWarningLogger(log.KubeAPIWarningLoggerOptions{})
	connection, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	w := &wire{scheme: scheme}
	if w.WithWatch, err = client.NewWithWatch(config, client.Options{Scheme: scheme, HTTPClient: connection}); err != nil {
		return nil, err
	}
	config = metadata.ConfigFor(config)
	config.GroupVersion, config.APIPath = &v1alpha1.GroupVersion, "/apis"
	w.scim, err = rest.RESTClientForConfigAndClient(config, connection)
	return w, err
}

// resource is the kind of an object, or of those in a list, and the resource in the path; no resource where it is none of
// SCIM's.
func (w *wire) resource(object runtime.Object) (kind k8sschema.GroupVersionKind, resource string, err error) {
	if kind, err = apiutil.GVKForObject(object, w.scheme); err != nil || kind.GroupVersion() != v1alpha1.GroupVersion {
		return kind, "", err
	}
	kind.Kind = strings.TrimSuffix(kind.Kind, "List")
	plural, _ := meta.UnsafeGuessKindToResource(kind)
	return kind, plural.Resource, nil
}

// Create implements client.Writer.
func (w *wire) Create(ctx context.Context, obj client.Object, o ...client.CreateOption) error {
	kind, resource, err := w.resource(obj)
	if err != nil || resource == "" || len(o) > 0 {
		return w.WithWatch.Create(ctx, obj, o...)
	}
	return write(ctx, w.scim.Post().Resource(resource), kind, obj)
}

// Update implements client.Writer.
func (w *wire) Update(ctx context.Context, obj client.Object, o ...client.UpdateOption) error {
	kind, resource, err := w.resource(obj)
	if err != nil || resource == "" || len(o) > 0 {
		return w.WithWatch.Update(ctx, obj, o...)
	}
	return write(ctx, w.scim.Put().Resource(resource).Name(obj.GetName()), kind, obj)
}

// metadataOnly are the answers that a write takes. An error is told of in one of the same two languages.
const metadataOnly = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1," +
	"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

// write sends an object and gives it the metadata of what was stored.
func write(ctx context.Context, request *rest.Request, kind k8sschema.GroupVersionKind, obj client.Object) error {
	obj.GetObjectKind().SetGroupVersionKind(kind)
	body, err := k8sjson.Marshal(obj)
	if err != nil {
		return err
	}
	var stored metav1.PartialObjectMetadata
	if err := request.Namespace(obj.GetNamespace()).
		SetHeader("Content-Type", runtime.ContentTypeJSON).SetHeader("Accept", metadataOnly).
		Body(body).Do(ctx).Into(&stored); err != nil {
		return err
	}
	obj.SetUID(stored.UID)
	obj.SetResourceVersion(stored.ResourceVersion)
	obj.SetGeneration(stored.Generation)
	obj.SetCreationTimestamp(stored.CreationTimestamp)
	return nil
}

// Watch implements client.WithWatch.
func (w *wire) Watch(ctx context.Context, list client.ObjectList, o ...client.ListOption) (watch.Interface, error) {
	kind, resource, err := w.resource(list)
	if err != nil || resource == "" {
		return w.WithWatch.Watch(ctx, list, o...)
	}
	options := (&client.ListOptions{}).ApplyOptions(o)
	parameters := options.AsListOptions()
	parameters.Watch = true
	stream, err := w.scim.Get().NamespaceIfScoped(options.Namespace, options.Namespace != "").Resource(resource).
		VersionedParams(parameters, runtime.NewParameterCodec(w.scheme)).
		SetHeader("Accept", runtime.ContentTypeJSON).
		SetHeader("Accept-Encoding", "identity"). // compressing one event after another costs both sides more than it saves
		Stream(ctx)
	switch {
	case net.IsProbableEOF(err) || net.IsTimeout(err):
		return watch.NewEmptyWatch(), nil // the caller tries again
	case err != nil:
		return nil, err
	}
	return watch.NewStreamWatcherWithLogger(log.FromContext(ctx), newWatched(stream, w.scheme, kind),
		apierrors.NewClientErrorReporter(http.StatusInternalServerError, http.MethodGet, "ClientWatchDecoding")), nil
}

// watched is the stream of a watch. Each event is read in one pass, in a third of the time that apimachinery's serializers take.
type watched struct {
	io.Closer
	json   *jsontext.Decoder
	scheme *runtime.Scheme
	kind   k8sschema.GroupVersionKind
}

func newWatched(stream io.ReadCloser, scheme *runtime.Scheme, kind k8sschema.GroupVersionKind) *watched {
	// Whatever the API server sends is taken: an object that was refused would never be shown.
	return &watched{stream, jsontext.NewDecoder(stream, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)), scheme, kind}
}

// Close implements watch.Decoder.
func (w *watched) Close() { _ = w.Closer.Close() }

// Decode implements watch.Decoder.
func (w *watched) Decode() (watch.EventType, runtime.Object, error) {
	var event struct {
		Type   watch.EventType `json:"type"`
		Object embedded        `json:"object"`
	}
	event.Object.make = func() (runtime.Object, error) {
		switch event.Type {
		case "":
			return nil, errors.New("an event says what it is about before it says its type")
		case watch.Error:
			return &metav1.Status{}, nil
		default:
			return w.scheme.New(w.kind)
		}
	}
	err := json.UnmarshalDecode(w.json, &event)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = io.ErrUnexpectedEOF // as a watch knows it
	case err == nil && event.Object.object == nil:
		err = errors.New("an event does not say what it is about")
	}
	return event.Type, event.Object.object, err
}

// embedded is an object of a type that is known when it comes.
type embedded struct {
	make   func() (runtime.Object, error)
	object runtime.Object
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (o *embedded) UnmarshalJSONFrom(d *jsontext.Decoder) (err error) {
	if o.object, err = o.make(); err != nil {
		return err
	}
	return json.UnmarshalDecode(d, o.object)
}
