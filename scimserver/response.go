package scimserver

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"sync"

	"github.com/scim-operator/scim-operator/scimserver/schema"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// response is an answer before it is sent.
type response struct {
	status int
	header http.Header
	// body, unless nil, is of a buffer that is used again when the response has been sent.
	body []byte
}

// buffers are for bodies. A page of 500 users has half a megabyte, which would be garbage right after.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxBuffer is the largest buffer that is kept: larger than a usual page, smaller than a list of all members of a group.
const maxBuffer = 1 << 20

func emptyBody() []byte { return (*buffers.Get().(*[]byte))[:0] }

func keepBuffer(body []byte) {
	if cap(body) > 0 && cap(body) <= maxBuffer {
		buffers.Put(&body)
	}
}

// reply makes a response of a value that encoding/json can write; nil for no body.
func reply(status int, value any) (*response, error) {
	r := &response{status: status, header: http.Header{}}
	if value == nil {
		return r, nil
	}
	buffer := bytes.NewBuffer(emptyBody())
	if err := json.NewEncoder(buffer).Encode(value); err != nil {
		return nil, err
	}
	r.body = buffer.Bytes()
	return r, nil
}

// replyResource answers with one resource, where it is and which version it has.
func (q *request) replyResource(status int, id string, meta *store.Meta, resource store.Resource) (*response, error) {
	q.resource = id
	body, err := appendShown(emptyBody(), resource, q.projection)
	if err != nil {
		return nil, err
	}
	r := &response{status: status, header: http.Header{}, body: append(body, '\n')}
	r.describe(meta)
	return r, nil
}

func (r *response) describe(meta *store.Meta) {
	if r.status == http.StatusCreated {
		r.header.Set("Location", meta.Location)
	}
	if meta.Version != "" {
		r.header.Set("ETag", meta.Version)
	}
}

// appendShown appends a resource, cut down to the attributes that the client asked for. A tree is built only where it asked.
func appendShown(b []byte, resource store.Resource, projection *schema.Projection) ([]byte, error) {
	if projection.Empty() {
		return resource.AppendJSON(b)
	}
	tree, err := store.Tree(resource)
	if err != nil {
		return nil, err
	}
	return appendValue(b, projection.Apply(tree))
}

// appendValue appends a value as encoding/json writes it.
func appendValue(b []byte, value any) ([]byte, error) {
	encoded, err := json.Marshal(value)
	return append(b, encoded...), err
}

func (r *response) send(w http.ResponseWriter, mediaType string) {
	header := w.Header()
	maps.Copy(header, r.header)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if r.body != nil {
		header.Set("Content-Type", mediaType+";charset=utf-8")
		header.Set("Content-Length", strconv.Itoa(len(r.body)))
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // a client that is gone needs no answer
	keepBuffer(r.body)
	r.body = nil
}
