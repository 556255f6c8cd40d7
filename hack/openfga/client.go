package openfga

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

const (
	// maxWrites is how many tuples one call may write or delete.
	maxWrites = 100
	// maxPage is how many tuples one call may read.
	maxPage = 100
)

// Tuple says that a user has a relation to an object. A field that is empty is left out.
type Tuple struct {
	User     string `json:"user,omitempty"`
	Relation string `json:"relation,omitempty"`
	Object   string `json:"object,omitempty"`
}

// Error is what OpenFGA answers instead of doing what it was asked.
type Error struct {
	Status  int
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

// CreateStore returns the id of a new store. All methods that call the server return an *Error when it refuses, and the
// client's error when there is no answer.
func (s *Server) CreateStore(ctx context.Context, name string) (string, error) {
	var store struct {
		ID string `json:"id"`
	}
	err := s.post(ctx, "/stores", map[string]string{"name": name}, &store)
	return store.ID, err
}

// WriteModel makes the model, as JSON, the latest of the store and returns its id.
func (s *Server) WriteModel(ctx context.Context, storeID string, model []byte) (string, error) {
	var written struct {
		ID string `json:"authorization_model_id"`
	}
	err := s.post(ctx, "/stores/"+storeID+"/authorization-models", json.RawMessage(model), &written)
	return written.ID, err
}

// Check tells whether the latest model and the tuples of the store give the user the relation to the object.
func (s *Server) Check(ctx context.Context, storeID, user, relation, object string) (bool, error) {
	var decision struct {
		Allowed bool `json:"allowed"`
	}
	question := map[string]Tuple{"tuple_key": {User: user, Relation: relation, Object: object}}
	err := s.post(ctx, "/stores/"+storeID+"/check", question, &decision)
	return decision.Allowed, err
}

type tupleKeys struct {
	TupleKeys   []Tuple `json:"tuple_keys"`
	OnDuplicate string  `json:"on_duplicate,omitempty"`
	OnMissing   string  `json:"on_missing,omitempty"`
}

// Write makes the tuples exist, whether they did or not.
func (s *Server) Write(ctx context.Context, storeID string, tuples ...Tuple) error {
	return s.write(ctx, storeID, "writes", tupleKeys{TupleKeys: tuples, OnDuplicate: "ignore"})
}

// Delete makes the tuples not exist, whether they did or not.
func (s *Server) Delete(ctx context.Context, storeID string, tuples ...Tuple) error {
	return s.write(ctx, storeID, "deletes", tupleKeys{TupleKeys: tuples, OnMissing: "ignore"})
}

// write makes as many calls as it takes; each is done as a whole or not at all.
func (s *Server) write(ctx context.Context, storeID, what string, keys tupleKeys) error {
	for chunk := range slices.Chunk(keys.TupleKeys, maxWrites) {
		keys.TupleKeys = chunk
		if err := s.post(ctx, "/stores/"+storeID+"/write", map[string]tupleKeys{what: keys}, nil); err != nil {
			return err
		}
	}
	return nil
}

// Read returns all tuples of the store that the filter's fields match; with an empty filter, all there are. A filter
// needs an object; where it has a user, the object may be a type with a colon behind it. A store that does not exist
// has no tuples.
func (s *Server) Read(ctx context.Context, storeID string, filter Tuple) ([]Tuple, error) {
	request := struct {
		TupleKey          *Tuple `json:"tuple_key,omitempty"`
		PageSize          int    `json:"page_size"`
		ContinuationToken string `json:"continuation_token,omitempty"`
	}{PageSize: maxPage}
	if filter != (Tuple{}) {
		request.TupleKey = &filter
	}
	var tuples []Tuple
	for {
		var page struct {
			Tuples []struct {
				Key Tuple `json:"key"`
			} `json:"tuples"`
			ContinuationToken string `json:"continuation_token"`
		}
		if err := s.post(ctx, "/stores/"+storeID+"/read", request, &page); err != nil {
			return nil, err
		}
		for _, tuple := range page.Tuples {
			tuples = append(tuples, tuple.Key)
		}
		if page.ContinuationToken == "" {
			return tuples, nil
		}
		request.ContinuationToken = page.ContinuationToken
	}
}

// Change is a tuple that was written, or deleted.
type Change struct {
	Tuple   Tuple
	Deleted bool
}

// Changes returns what has happened to the tuples of the store, in order.
func (s *Server) Changes(ctx context.Context, storeID string) ([]Change, error) {
	var changes []Change
	from := ""
	for {
		var page struct {
			Changes []struct {
				Key       Tuple  `json:"tuple_key"`
				Operation string `json:"operation"`
			} `json:"changes"`
			ContinuationToken string `json:"continuation_token"`
		}
		query := url.Values{"page_size": {strconv.Itoa(maxPage)}, "continuation_token": {from}}
		if err := s.call(ctx, http.MethodGet, "/stores/"+storeID+"/changes?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		for _, change := range page.Changes {
			changes = append(changes, Change{change.Key, change.Operation == "TUPLE_OPERATION_DELETE"})
		}
		if len(page.Changes) < maxPage {
			return changes, nil
		}
		from = page.ContinuationToken
	}
}

// post decodes the answer into out, unless that is nil.
func (s *Server) post(ctx context.Context, path string, in, out any) error {
	content, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return s.call(ctx, http.MethodPost, path, content, out)
}

func (s *Server) call(ctx context.Context, method, path string, content []byte, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		refusal := &Error{Status: response.StatusCode}
		if err := json.Unmarshal(answer, refusal); err != nil {
			refusal.Message = string(answer)
		}
		return refusal
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}
