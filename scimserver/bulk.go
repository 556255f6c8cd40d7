package scimserver

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// maxBulkDuration is how long a bulk request starts operations. What is under way then still ends before the client's
// patience does, and the server's.
const maxBulkDuration = 30 * time.Second

var (
	errBulkTime = failure(http.StatusServiceUnavailable,
		"there was no time left for this operation: send it again, with fewer operations in one request").retryAfter(retryUnavailable)
	errCircle = failure(http.StatusConflict,
		"this operation and others refer to each other in a circle, which is made in whole or not at all; another of them failed")
)

// bulkResult is what an operation came to (RFC 7644 §3.7.3).
type bulkResult struct {
	Method   string          `json:"method"`
	BulkID   string          `json:"bulkId,omitempty"`
	Version  string          `json:"version,omitempty"`
	Location string          `json:"location,omitempty"`
	Response json.RawMessage `json:"response,omitempty"`
	Status   string          `json:"status"`
}

// bulkRun is a bulk request that is being carried out.
type bulkRun struct {
	*request
	bulk *bulkRequest
}

// bulk carries out many operations (RFC 7644 §3.7), each as the request that it stands for. For the rate limit of the token
// they are one request: their number is limited already.
func bulk(q *request) (*response, error) {
	body, err := q.object()
	if err != nil {
		return nil, err
	}
	r, err := parseBulk(q.extendedTypes(), body)
	if err != nil {
		return nil, err
	}
	b := bulkRun{q, r}
	for _, step := range schedule(r.needs()) {
		operations := make([]*bulkOperation, len(step))
		for i, place := range step {
			operations[i] = r.operations[place]
		}
		b.carryOut(operations)
		if r.failOnErrors > 0 && r.errors() >= r.failOnErrors {
			break
		}
	}
	return reply(http.StatusOK, struct {
		Schemas    []string      `json:"schemas"`
		Operations []*bulkResult `json:"Operations"`
	}{[]string{schema.BulkResponseURN}, r.results()})
}

// carryOut carries out one step: an operation, or several that refer to each other in a circle (RFC 7644 §3.7.1). Of a
// circle each resource is made without what is not there yet, and then replaced by the whole; if anything fails, what was
// made is taken back.
func (b bulkRun) carryOut(step []*bulkOperation) {
	b.refuseMissing(step)
	if i := slices.IndexFunc(step, func(o *bulkOperation) bool { return o.refusal != nil }); i > 0 {
		step[0], step[i] = step[i], step[0] // so that nothing is made only to be deleted
	}
	var incomplete []*bulkOperation
	for _, o := range step {
		if slices.ContainsFunc(o.references, b.isMissing) {
			incomplete = append(incomplete, o)
		}
		if b.attempt(o); o.failed() {
			b.takeBack(step, o)
			return
		}
	}
	for _, o := range incomplete {
		if b.complete(o); o.failed() {
			b.takeBack(step, o)
			return
		}
	}
}

// refuseMissing refuses what refers to a resource that an earlier step did not make.
func (b bulkRun) refuseMissing(step []*bulkOperation) {
	inStep := map[*bulkOperation]bool{}
	for _, o := range step {
		inStep[o] = true
	}
	for _, o := range step {
		for _, maker := range o.needs {
			if target := b.bulk.operations[maker]; o.refusal == nil && target.made == "" && !inStep[target] {
				o.refusal = schema.Errorf(schema.InvalidValue, "Operations[%d], which this operation refers to by its bulkId, failed", maker)
			}
		}
	}
}

func (b bulkRun) isMissing(bulkID string) bool {
	_, ok := b.idOf(bulkID)
	return !ok
}

func (b bulkRun) idOf(bulkID string) (string, bool) {
	maker, ok := b.bulk.makers[bulkID]
	if !ok || b.bulk.operations[maker].made == "" {
		return "", false
	}
	return b.bulk.operations[maker].made, true
}

// attempt carries out an operation with the references that there are resources for, and notes the result.
func (b bulkRun) attempt(o *bulkOperation) {
	at := o.route
	if bulkID, ok := strings.CutPrefix(at.id, referencePrefix); ok {
		at.id, _ = b.idOf(bulkID)
	}
	part := b.part(o, o.method, at)
	if o.version != "" {
		part.Header.Set("If-Match", o.version)
	}
	o.result = b.perform(o, part, b.refusalOf(o))
	if o.method == http.MethodPost && !o.failed() {
		o.made, o.created = part.resource, part.created
	}
}

// refusalOf is asked for as late as possible, since time goes by and clients hang up.
func (b bulkRun) refusalOf(o *bulkOperation) error {
	if o.refusal == nil && (b.Context().Err() != nil || time.Since(b.started) > maxBulkDuration) {
		return errBulkTime
	}
	return o.refusal
}

// complete replaces a resource that was made without all that it refers to. Nobody else knows it yet.
func (b bulkRun) complete(o *bulkOperation) {
	part := b.part(o, http.MethodPut, o.resourceRoute())
	whole := b.perform(o, part, b.refusalOf(o))
	if whole.Response == nil {
		whole.Status = o.result.Status
	}
	o.result = whole
}

// takeBack deletes what a circle has made before one of its operations failed, and leaves a person who was brought back by
// it as before: whoever sends the circle again gets it whole.
func (b bulkRun) takeBack(step []*bulkOperation, culprit *bulkOperation) {
	for _, o := range slices.Backward(step) {
		if o.made != "" {
			part := b.part(o, http.MethodDelete, o.resourceRoute())
			part.created = o.created
			left := b.perform(o, part, nil)
			o.made = ""
			if left.Response != nil {
				o.result = left // it says where the rest of it is
				continue
			}
			o.result.Location = ""
		}
		if o != culprit {
			o.refusal = errCircle
			o.result = b.perform(o, b.part(o, o.method, o.route), o.refusal)
		}
	}
}

// resourceRoute is where the resource is that the operation has made.
func (o *bulkOperation) resourceRoute() route {
	return route{pattern: o.route.pattern + "/{id}", id: o.made}
}

// part makes the request that an operation stands for, or one that has to do with it.
func (b bulkRun) part(o *bulkOperation, method string, at route) *request {
	part := *b.request
	part.Request = (&http.Request{
		Method: method, URL: &url.URL{}, Header: http.Header{}, Body: http.NoBody, RemoteAddr: b.RemoteAddr,
	}).WithContext(b.Context())
	part.started = time.Now()
	part.route = at
	part.data = o.data
	if o.data != nil {
		part.data = references(b.idOf).resolve(method, o.resourceType, o.data)
	}
	return &part
}

// perform has the handler answer the request that the operation stands for, unless there is a refusal.
func (b bulkRun) perform(o *bulkOperation, part *request, refusal error) *bulkResult {
	answer := b.dispatch(part, refusal)
	result := &bulkResult{
		Method:  o.method,
		BulkID:  o.bulkID,
		Version: answer.header.Get("ETag"),
		Status:  strconv.Itoa(answer.status),
	}
	if id := cmp.Or(part.resource, part.route.id); id != "" {
		result.Location = b.base + o.resourceType.Endpoint + "/" + url.PathEscape(id)
	}
	if answer.status >= http.StatusBadRequest {
		result.Response = answer.body
	}
	return result
}

func (r *bulkRequest) needs() [][]int {
	needs := make([][]int, len(r.operations))
	for i, o := range r.operations {
		needs[i] = o.needs
	}
	return needs
}

func (o *bulkOperation) failed() bool {
	return o.result != nil && o.result.Response != nil
}

func (r *bulkRequest) errors() (n int) {
	for _, o := range r.operations {
		if o.failed() {
			n++
		}
	}
	return n
}

// results are those of the operations that were processed, in the order of the request.
func (r *bulkRequest) results() []*bulkResult {
	var results []*bulkResult
	for _, o := range r.operations {
		if o.result != nil {
			results = append(results, o.result)
		}
	}
	return results
}
