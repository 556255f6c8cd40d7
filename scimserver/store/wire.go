package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	k8sschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	k8sjson "k8s.io/apimachinery/pkg/util/json"
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
	scheme          *runtime.Scheme
	writes, watches *rest.RESTClient
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
	if w.writes, err = restClient(metadata.ConfigFor(config), connection); err != nil {
		return nil, err
	}
	watching := rest.CopyConfig(config)
	watching.NegotiatedSerializer = serializersOf(scheme)
	w.watches, err = restClient(watching, connection)
	return w, err
}

func restClient(config *rest.Config, connection *http.Client) (*rest.RESTClient, error) {
	config.GroupVersion, config.APIPath = &v1alpha1.GroupVersion, "/apis"
	return rest.RESTClientForConfigAndClient(config, connection)
}

// resource is the kind of an object or of a list, and the resource in the path; no resource where it is none of SCIM's.
func (w *wire) resource(object runtime.Object) (kind k8sschema.GroupVersionKind, resource string, err error) {
	if kind, err = apiutil.GVKForObject(object, w.scheme); err != nil || kind.GroupVersion() != v1alpha1.GroupVersion {
		return kind, "", err
	}
	plural, _ := meta.UnsafeGuessKindToResource(kind.GroupVersion().WithKind(strings.TrimSuffix(kind.Kind, "List")))
	return kind, plural.Resource, nil
}

// Create implements client.Writer.
func (w *wire) Create(ctx context.Context, obj client.Object, o ...client.CreateOption) error {
	kind, resource, err := w.resource(obj)
	if err != nil || resource == "" || len(o) > 0 {
		return w.WithWatch.Create(ctx, obj, o...)
	}
	return write(ctx, w.writes.Post().Resource(resource), kind, obj)
}

// Update implements client.Writer.
func (w *wire) Update(ctx context.Context, obj client.Object, o ...client.UpdateOption) error {
	kind, resource, err := w.resource(obj)
	if err != nil || resource == "" || len(o) > 0 {
		return w.WithWatch.Update(ctx, obj, o...)
	}
	return write(ctx, w.writes.Put().Resource(resource).Name(obj.GetName()), kind, obj)
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
	_, resource, err := w.resource(list)
	if err != nil || resource == "" {
		return w.WithWatch.Watch(ctx, list, o...)
	}
	options := (&client.ListOptions{}).ApplyOptions(o)
	parameters := options.AsListOptions()
	parameters.Watch = true
	return w.watches.Get().NamespaceIfScoped(options.Namespace, options.Namespace != "").Resource(resource).
		VersionedParams(parameters, runtime.NewParameterCodec(w.scheme)).Watch(ctx)
}

// serializers are those of the scheme, but for JSON, which reader reads.
type serializers struct {
	runtime.NegotiatedSerializer
	json runtime.SerializerInfo
}

func serializersOf(scheme *runtime.Scheme) serializers {
	s := serializers{NegotiatedSerializer: serializer.NewCodecFactory(scheme).WithoutConversion()}
	s.json, _ = runtime.SerializerInfoForMediaType(s.NegotiatedSerializer.SupportedMediaTypes(), runtime.ContentTypeJSON)
	s.json.Serializer = reader{s.json.Serializer, scheme}
	stream := *s.json.StreamSerializer
	stream.Serializer, stream.Framer = s.json.Serializer, framer{stream.Framer}
	s.json.StreamSerializer = &stream
	return s
}

// SupportedMediaTypes implements runtime.NegotiatedSerializer.
func (s serializers) SupportedMediaTypes() []runtime.SerializerInfo {
	return []runtime.SerializerInfo{s.json}
}

// framer tells the objects of a stream of JSON apart, without garbage.
type framer struct{ runtime.Framer }

// NewFrameReader implements runtime.Framer.
func (framer) NewFrameReader(stream io.ReadCloser) io.ReadCloser {
	return &frames{Closer: stream, decoder: jsontext.NewDecoder(stream, asSent)}
}

type frames struct {
	io.Closer
	decoder *jsontext.Decoder
	rest    []byte
}

// Read reads an object, or io.ErrShortBuffer and as much of it as there is room for.
func (f *frames) Read(data []byte) (int, error) {
	if len(f.rest) == 0 {
		var err error
		if f.rest, err = f.decoder.ReadValue(); errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, io.ErrUnexpectedEOF
		} else if err != nil {
			return 0, err
		}
	}
	n := copy(data, f.rest)
	if f.rest = f.rest[n:]; len(f.rest) > 0 {
		return n, io.ErrShortBuffer
	}
	return n, nil
}

// reader reads JSON once, in a third of the time that a serializer of apimachinery takes.
type reader struct {
	runtime.Serializer
	scheme *runtime.Scheme
}

// asSent has reader take whatever the API server sends: an object that was refused would never be shown.
var asSent = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Decode implements runtime.Decoder.
func (r reader) Decode(data []byte, kind *k8sschema.GroupVersionKind, into runtime.Object) (runtime.Object, *k8sschema.GroupVersionKind, error) {
	if into == nil {
		said, err := kindIn(data)
		if err != nil {
			return nil, nil, err
		}
		if !said.Empty() || kind == nil {
			kind = &said
		}
		if into, err = r.scheme.New(*kind); err != nil {
			return nil, kind, err
		}
	}
	return into, kind, json.Unmarshal(data, into, asSent)
}

// kindIn reads apiVersion and kind of an object, and nothing behind them: the API server writes them first.
func kindIn(data []byte) (kind k8sschema.GroupVersionKind, err error) {
	var version string
	d := jsontext.NewDecoder(bytes.NewBuffer(data), asSent)
	_, err = d.ReadToken() // the brace
	for err == nil && (version == "" || kind.Kind == "") && d.PeekKind() == jsontext.KindString {
		name, _ := d.ReadToken()
		var value jsontext.Token
		switch name.String() {
		case "apiVersion":
			value, err = d.ReadToken()
			version = value.String()
		case "kind":
			value, err = d.ReadToken()
			kind.Kind = value.String()
		default:
			err = d.SkipValue()
		}
	}
	if err != nil {
		return kind, fmt.Errorf("apiVersion and kind cannot be read: %w", err)
	}
	group, err := k8sschema.ParseGroupVersion(version)
	return group.WithKind(kind.Kind), err
}
