package scimserver

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/scim-operator/scim-operator/scimserver/store"
)

func parsedBulk(t *testing.T, body string) *bulkRequest {
	t.Helper()
	object, err := decodeObject([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	r, err := parseBulk(resourceTypes, object)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseBulkRefusesAnOperation(t *testing.T) {
	for operation, want := range map[string]string{
		`{}`:                               "invalidValue: method",
		`{"method":7}`:                     "invalidSyntax: method must be a string",
		`{"method":"GET","path":"/Users"}`: "invalidValue: method must be POST, PUT, PATCH or DELETE",
		`{"method":"POST","METHOD":"PUT"}`: "invalidSyntax: method occurs twice",
		`{"method":"POST","bulkId":"x","data":{}}`:                          "invalidValue: path",
		`{"method":"POST","bulkId":1,"path":"/Users","data":{}}`:            "invalidSyntax: bulkId must be a string",
		`{"method":"PUT","path":"/Users/1","version":{},"data":{}}`:         "invalidSyntax: version must be a string",
		`{"method":"POST","path":"/Users/1","data":{}}`:                     "invalidValue: path must be that of an endpoint",
		`{"method":"POST","path":"/Bulk","data":{}}`:                        "invalidValue: path",
		`{"method":"POST","path":"/Users/.search","data":{}}`:               "invalidValue: path",
		`{"method":"POST","path":"/ns/dir/Users","data":{}}`:                "invalidValue: path",
		`{"method":"POST","path":"https://x/scim/v2/Users","data":{}}`:      "invalidValue: path",
		`{"method":"POST","path":"//x/Users","data":{}}`:                    "invalidValue: path",
		`{"method":"POST","path":"/Users?attributes=id","data":{}}`:         "invalidValue: path",
		`{"method":"POST","path":"/%zz","data":{}}`:                         "invalidValue: path",
		`{"method":"PUT","path":"/Users","data":{}}`:                        "invalidValue: path must be that of a resource",
		`{"method":"PATCH","path":"/Me","data":{}}`:                         "invalidValue: path",
		`{"method":"PUT","path":"/Schemas/x","data":{}}`:                    "invalidValue: path",
		`{"method":"DELETE","path":"/Users/1/../../Groups/2"}`:              "invalidValue: path",
		`{"method":"POST","path":"/Users"}`:                                 "invalidValue: data must be the object that a single POST would send",
		`{"method":"PUT","path":"/Users/1","data":null}`:                    "invalidValue: data",
		`{"method":"PATCH","path":"/Users/1","data":[]}`:                    "invalidValue: data",
		`{"method":"DELETE","path":"/Users/bulkId:nobody"}`:                 `invalidValue: no POST of this request has the bulkId in "bulkId:nobody"`,
		`{"method":"DELETE","path":"/Users/bulkId:"}`:                       "invalidValue: no POST",
		`{"method":"PUT","path":"/Groups/1","data":{"members":"bulkId:x"}}`: "invalidValue: no POST",
	} {
		r := parsedBulk(t, `{"Operations":[`+operation+`]}`)
		if err := r.operations[0].refusal; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: refused with %v, want %q", operation, err, want)
		}
	}
}

func TestParseBulkTolerates(t *testing.T) {
	for _, operation := range []string{
		`{"method":"post","path":"Users","data":{}}`,
		`{"METHOD":"POST","Path":"/users/","Data":{},"bulkId":null}`,
		`{"method":"delete","path":"Groups/1"}`,
		`{"method":"DELETE","path":"/Groups/1","data":"x"}`,
	} {
		r := parsedBulk(t, `{"operations":[`+operation+`]}`)
		if err := r.operations[0].refusal; err != nil {
			t.Errorf("%s is refused with %v", operation, err)
		}
	}
}

func TestParseBulkRefusesTheSameBulkIDTwice(t *testing.T) {
	const post = `{"method":"POST","path":"/Users","bulkId":"x","data":{}}`
	r := parsedBulk(t, `{"Operations":[`+post+`,{"method":"DELETE","path":"/Users/bulkId:x","bulkId":"x"},`+post+`,`+post+`]}`)
	for i, refused := range []bool{true, false, true, true} {
		if err := r.operations[i].refusal; (err != nil) != refused {
			t.Errorf("Operations[%d] is refused with %v", i, err)
		}
	}
}

// When the time is over nothing is started any more, and the client can see what was not.
func TestBulkRunsOutOfTime(t *testing.T) {
	body := `{"Operations":[{"method":"POST","path":"/Users","data":{}},{"method":"DELETE","path":"/Users/1"},{"method":"DELETE","path":"/Users/2"}]}`
	ctx, hangUp := context.WithCancel(t.Context())
	started := 0
	q := &request{
		Request:   httptest.NewRequestWithContext(ctx, http.MethodPost, "/scim/v2/Bulk", strings.NewReader(body)),
		started:   time.Now(),
		directory: emptyDirectory(t),
		dispatch: func(q *request, refusal error) *response {
			if refusal != nil {
				return failed(q, refusal)
			}
			started++
			hangUp()
			answer, _ := reply(http.StatusNoContent, nil)
			return answer
		},
	}
	answer, err := bulk(q)
	if err != nil || answer.status != http.StatusOK {
		t.Fatalf("%v, %v", answer, err)
	}
	if started != 1 || strings.Count(string(answer.body), `"status":"503"`) != 4 { // two results, each with its error
		t.Errorf("%d operations were started: %s", started, answer.body)
	}

	q.started = time.Now().Add(-maxBulkDuration)
	q.Request = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/scim/v2/Bulk", strings.NewReader(body))
	if answer, err = bulk(q); err != nil || started != 1 || strings.Count(string(answer.body), `"status":"503"`) != 6 {
		t.Errorf("%d operations were started: %s, %v", started, answer.body, err)
	}
}

// What a circle has made is gone again when the rest of it fails; where even that fails, the client learns what is left.
func TestCircleIsTakenBack(t *testing.T) {
	const body = `{"Operations":[
		{"method":"POST","path":"/Groups","bulkId":"a","data":{"members":[{"value":"bulkId:b"}]}},
		{"method":"POST","path":"/Groups","bulkId":"b","data":{"members":[{"value":"bulkId:a"}]}}]}`
	for fails, want := range map[string]string{
		"POST 2":                        "POST POST DELETE:1 POST! 409 500",
		"PUT 1":                         "POST POST PUT:1 DELETE:2 POST! DELETE:1 500 409",
		"POST 2 DELETE 1":               "POST POST DELETE:1 500@https://x/Groups/1 500",
		"none, so that all of it is in": "POST POST PUT:1 201@https://x/Groups/1 201@https://x/Groups/2",
	} {
		made := 0
		var happened []string
		q := &request{Request: httptest.NewRequest(http.MethodPost, "/scim/v2/Bulk", strings.NewReader(body)), started: time.Now(), base: "https://x", directory: emptyDirectory(t)}
		q.dispatch = func(q *request, refusal error) *response {
			what, id, status := q.Method, q.route.id, map[string]int{http.MethodPost: 201, http.MethodPut: 200, http.MethodDelete: 204}[q.Method]
			switch {
			case refusal != nil:
				happened = append(happened, what+"!")
				return failed(q, refusal)
			case id == "":
				made++
				id = fmt.Sprint(made)
				happened = append(happened, what)
			default:
				happened = append(happened, what+":"+id)
			}
			if strings.Contains(fails, what+" "+id) {
				return failed(q, fmt.Errorf("no %s", what))
			}
			q.resource = id
			answer, _ := reply(status, nil)
			return answer
		}
		object, _ := decodeObject([]byte(body))
		r, err := parseBulk(resourceTypes, object)
		if err != nil {
			t.Fatal(err)
		}
		b := bulkRun{q, r}
		b.carryOut([]*bulkOperation{r.operations[0], r.operations[1]})
		for _, o := range r.results() {
			text := o.Status
			if o.Location != "" {
				text += "@" + o.Location
			}
			happened = append(happened, text)
		}
		if got := strings.Join(happened, " "); got != want {
			t.Errorf("failing %s:\ngot  %s\nwant %s", fails, got, want)
		}
	}
}

// What cannot work anyhow makes the circle fail before anything is written.
func TestCircleWithARefusalWritesNothing(t *testing.T) {
	r := parsedBulk(t, `{"Operations":[
		{"method":"POST","path":"/Groups","bulkId":"a","data":{"members":[{"value":"bulkId:b"}]}},
		{"method":"POST","path":"/Groups","bulkId":"b","data":{"members":[{"value":"bulkId:a"},{"value":"bulkId:nobody"}]}}]}`)
	q := &request{Request: httptest.NewRequest(http.MethodPost, "/scim/v2/Bulk", http.NoBody), started: time.Now()}
	q.dispatch = func(q *request, refusal error) *response {
		if refusal == nil {
			t.Errorf("%s is carried out", q.Method)
			refusal = errNotFound
		}
		return failed(q, refusal)
	}
	bulkRun{q, r}.carryOut([]*bulkOperation{r.operations[0], r.operations[1]})
	if results := r.results(); results[0].Status != "409" || results[1].Status != "400" {
		t.Errorf("results %v %v", results[0], results[1])
	}
}

func FuzzBulk(f *testing.F) {
	for _, body := range []string{
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":1,"Operations":[
			{"method":"POST","path":"/Users","bulkId":"q","data":{"userName":"ada"}},
			{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"G","members":[{"value":"bulkId:q"},{"value":"bulkId:g"}]}},
			{"method":"PATCH","path":"/Groups/bulkId:g","data":{"Operations":[{"op":"remove","path":"members[value eq \"bulkId:q\"]"}]}},
			{"method":"DELETE","path":"/Users/bulkId:q","version":"W/\"1\""}]}`,
		`{"Operations":[{"method":"PUT","path":"/Users/%62ulkId:x","data":{"":[[]]}}]}`,
		`{"failOnErrors":-1e9,"Operations":[]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		object, err := decodeObject(body)
		if err != nil {
			return
		}
		r, err := parseBulk(resourceTypes, object)
		if err != nil {
			if p := problemOf(err); p.status != http.StatusBadRequest && p.status != http.StatusRequestEntityTooLarge {
				t.Fatalf("%q is answered %d", body, p.status)
			}
			return
		}
		planned := 0
		for _, step := range schedule(r.needs()) {
			planned += len(step)
		}
		if planned != len(r.operations) {
			t.Fatalf("%d of %d operations are planned: %q", planned, len(r.operations), body)
		}
		for i, o := range r.operations {
			if o.refusal != nil && problemOf(o.refusal).status != http.StatusBadRequest {
				t.Fatalf("Operations[%d] of %q is refused with %v", i, body, o.refusal)
			}
			if o.refusal == nil && o.resourceType == nil {
				t.Fatalf("Operations[%d] of %q is for no endpoint", i, body)
			}
		}
	})
}

// emptyDirectory is one of a store that has not read anything yet, so it declares no extensions.
func emptyDirectory(t *testing.T) *store.Directory {
	t.Helper()
	s, err := store.New(&rest.Config{}, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Directory("acme", "okta")
}
