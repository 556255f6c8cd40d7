package scimserver

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"

	"github.com/scim-operator/scim-operator/scimserver/schema"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// response is an answer before it is sent.
type response struct {
	status int
	header http.Header
	body   []byte
}

// reply makes a response of a value that encoding/json can write; nil for no body.
func reply(status int, value any) (*response, error) {
	r := &response{status: status, header: http.Header{}}
	if value == nil {
		return r, nil
	}
	var buffer bytes.Buffer
	if err := json.NewEncoder(&buffer).Encode(value); err != nil {
		return nil, err
	}
	r.body = buffer.Bytes()
	return r, nil
}

// replyResource answers with one resource, where it is and which version it has.
func (q *request) replyResource(status int, id string, meta *store.Meta, resource json.Marshaler) (*response, error) {
	q.resource = id
	shown, err := show(resource, q.projection)
	if err != nil {
		return nil, err
	}
	r, err := reply(status, shown)
	if err != nil {
		return nil, err
	}
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

// show cuts a resource down to the attributes that the client asked for. A tree is built only where it asked.
func show(resource json.Marshaler, projection *schema.Projection) (any, error) {
	if projection.Empty() {
		return resource, nil
	}
	tree, err := store.Tree(resource)
	if err != nil {
		return nil, err
	}
	return projection.Apply(tree), nil
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
}
