package scimserver

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/scim-operator/scim-operator/scimserver/schema"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// The limits of one bulk request, which ServiceProviderConfig announces (RFC 7644 §3.7.4).
const (
	maxBulkOperations = 1000
	maxBulkBody       = 8 << 20
)

// bulkRequest is what a client asks for (RFC 7644 §3.7).
type bulkRequest struct {
	operations   []*bulkOperation
	makers       map[string]int // which operation makes the resource that a bulkId stands for
	failOnErrors int            // after how many errors to stop; 0: never
}

// bulkOperation is one operation of a bulk request.
type bulkOperation struct {
	method       string
	bulkID       string // what other operations call the resource that a POST makes
	version      string // what If-Match is to a single request
	route        route  // its id can be a reference
	resourceType *schema.ResourceType
	data         map[string]any

	references []string    // the bulkIds that it refers to, each once
	needs      []int       // the operations that they belong to
	refusal    error       // why it cannot be carried out, if so
	made       string      // the id of the resource that it has made
	created    *store.User // what it has made, where that is a user
	result     *bulkResult // nil until it has been processed
}

// parseBulk reads the body of a bulk request on resources of the given types, and finds out which operations refer to
// which. What is wrong with one operation is its refusal. It returns a *schema.Error when the request as a whole is wrong,
// and a *problem when it has too many operations.
func parseBulk(types []*schema.ResourceType, body map[string]any) (*bulkRequest, error) {
	if err := schema.CheckMessage(body, schema.BulkRequestURN); err != nil {
		return nil, err
	}
	r := &bulkRequest{makers: map[string]int{}}
	var err error
	if r.failOnErrors, err = failOnErrors(body); err != nil {
		return nil, err
	}
	value, _, err := schema.Member(body, "Operations")
	if err != nil {
		return nil, err
	}
	sent, ok := value.([]any)
	if !ok || len(sent) == 0 {
		return nil, schema.Errorf(schema.InvalidSyntax, "Operations must be an array of one or more operations")
	}
	if len(sent) > maxBulkOperations {
		return nil, failure(http.StatusRequestEntityTooLarge, fmt.Sprintf(
			"there are %d operations, more than maxOperations (%d): send several requests", len(sent), maxBulkOperations))
	}
	for i, operation := range sent {
		object, ok := operation.(map[string]any)
		if !ok {
			return nil, schema.Errorf(schema.InvalidSyntax, "Operations[%d] must be an object", i)
		}
		o := &bulkOperation{}
		o.refusal = o.parse(types, object)
		r.operations = append(r.operations, o)
	}
	r.link()
	return r, nil
}

func failOnErrors(body map[string]any) (int, error) {
	value, _, err := schema.Member(body, "failOnErrors")
	if err != nil || value == nil {
		return 0, err
	}
	number, _ := value.(json.Number)
	n, err := strconv.Atoi(number.String())
	if err != nil || n < 1 {
		return 0, schema.Errorf(schema.InvalidValue,
			"failOnErrors must be an integer of 1 or more; leave it out to have every operation tried")
	}
	return n, nil
}

// parse reads an operation as far as it is good.
func (o *bulkOperation) parse(types []*schema.ResourceType, object map[string]any) error {
	var path string
	for _, field := range []struct {
		name string
		into *string
	}{
		{"method", &o.method}, {"bulkId", &o.bulkID}, {"version", &o.version}, {"path", &path},
	} {
		value, _, err := schema.Member(object, field.name)
		if err != nil {
			return err
		}
		text, ok := value.(string)
		if value != nil && !ok {
			return schema.Errorf(schema.InvalidSyntax, "%s must be a string", field.name)
		}
		*field.into = text
	}
	o.method = strings.ToUpper(o.method)
	switch o.method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return schema.Errorf(schema.InvalidValue, "method must be POST, PUT, PATCH or DELETE")
	}
	if err := o.parsePath(types, path); err != nil {
		return err
	}
	return o.parseData(object)
}

// parsePath reads a path relative to the directory. Only resources can be changed in bulk: no bulk is within another.
func (o *bulkOperation) parsePath(types []*schema.ResourceType, path string) error {
	at, _ := parseRoute(root + "/" + path)
	isRelative := at.namespace == "" && !strings.ContainsAny(path, "?#")
	for _, rt := range types {
		pattern := strings.Trim(rt.Endpoint, "/")
		if o.method != http.MethodPost {
			pattern += "/{id}"
		}
		if isRelative && at.pattern == pattern {
			o.route, o.resourceType = at, rt
			return nil
		}
	}
	if o.method == http.MethodPost {
		return schema.Errorf(schema.InvalidValue, "path must be that of an endpoint to POST to, /Users or /Groups")
	}
	return schema.Errorf(schema.InvalidValue, "path must be that of a resource, such as /Users/{id} or /Groups/bulkId:{bulkId}")
}

func (o *bulkOperation) parseData(object map[string]any) error {
	if o.method == http.MethodDelete {
		return nil
	}
	value, _, err := schema.Member(object, "data")
	if err != nil {
		return err
	}
	data, ok := value.(map[string]any)
	if !ok {
		return schema.Errorf(schema.InvalidValue, "data must be the object that a single %s would send", o.method)
	}
	o.data = data
	return nil
}

// link finds the operations that the references are to.
func (r *bulkRequest) link() {
	for i, o := range r.operations {
		if o.method != http.MethodPost || o.bulkID == "" {
			continue
		}
		if first, taken := r.makers[o.bulkID]; taken {
			twice := schema.Errorf(schema.InvalidValue, "bulkId is the same in Operations[%d] and Operations[%d]: each must be unique", first, i)
			o.refusal, r.operations[first].refusal = twice, twice
			continue
		}
		r.makers[o.bulkID] = i
	}
	for _, o := range r.operations {
		if o.refusal != nil {
			continue
		}
		o.references = o.findReferences()
		for _, bulkID := range o.references {
			maker, ok := r.makers[bulkID]
			if !ok {
				o.refusal = schema.Errorf(schema.InvalidValue, "no POST of this request has the bulkId in %.100q", referencePrefix+bulkID)
				break
			}
			o.needs = append(o.needs, maker)
		}
	}
}

func (o *bulkOperation) findReferences() []string {
	found := map[string]bool{}
	find := references(func(bulkID string) (string, bool) {
		found[bulkID] = true
		return "", false
	})
	if bulkID, ok := strings.CutPrefix(o.route.id, referencePrefix); ok {
		find(bulkID)
	}
	find.resolve(o.method, o.resourceType, o.data)
	return slices.Sorted(maps.Keys(found))
}
