package openfga

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

const (
	// maxChanges and pageSize are what OpenFGA takes and gives in one call.
	maxChanges = 100
	pageSize   = 100
	// maxPages bounds what is read of one relation of one object: a million users.
	maxPages = 10_000
)

// store is one store of an OpenFGA server, by its HTTP API.
type store struct {
	api targets.API
	id  string
	// secret is the name of the one that holds the token, if there is any.
	secret string
}

func connect(ctx context.Context, env targets.Environment, spec v1alpha1.OpenFGATarget) (store, error) {
	s := store{id: spec.StoreID}
	s.api.Base = strings.TrimRight(spec.URL, "/")
	var bundle []byte
	if spec.Credentials != nil {
		var err error
		s.secret = spec.Credentials.Name
		if s.api.Token, bundle, err = targets.Token(ctx, env, s.secret); err != nil {
			return store{}, err
		}
	}
	var err error
	s.api.Client, err = env.Egress.Client(bundle)
	return s, err
}

// find checks that the store is there. Reading one that is not would find it empty.
func (s store) find(ctx context.Context) error {
	return s.call(ctx, http.MethodGet, "", nil, nil)
}

// model reads an authorization model; without an id, the latest. It returns a rejection when there is none.
func (s store) model(ctx context.Context, id string) (model, error) {
	if id != "" {
		var one struct {
			Model model `json:"authorization_model"`
		}
		err := s.call(ctx, http.MethodGet, "/authorization-models/"+id, nil, &one)
		return one.Model, err
	}
	var latest struct {
		Models []model `json:"authorization_models"`
	}
	if err := s.call(ctx, http.MethodGet, "/authorization-models?page_size=1", nil, &latest); err != nil {
		return model{}, err
	}
	if len(latest.Models) == 0 {
		return model{}, &rejection{code: "latest_authorization_model_not_found"}
	}
	return latest.Models[0], nil
}

// readRequest asks for those who have a relation. Replicas and caches may not answer: what they lack would be taken for what
// others deleted.
type readRequest struct {
	Key struct {
		Relation string `json:"relation"`
		Object   string `json:"object"`
	} `json:"tuple_key"`
	PageSize    int    `json:"page_size"`
	Consistency string `json:"consistency"`
	From        string `json:"continuation_token,omitempty"`
}

// read are the users who have a relation by a tuple of their own.
func (s store) read(ctx context.Context, r relation) ([]string, error) {
	request := readRequest{PageSize: pageSize, Consistency: "HIGHER_CONSISTENCY"}
	request.Key.Relation, request.Key.Object = r.name, r.object
	var users []string
	for range maxPages {
		var page struct {
			Tuples []struct {
				Key tuple `json:"key"`
			} `json:"tuples"`
			Next string `json:"continuation_token"`
		}
		if err := s.call(ctx, http.MethodPost, "/read", request, &page); err != nil {
			return nil, err
		}
		for _, t := range page.Tuples {
			users = append(users, t.Key.User)
		}
		if page.Next == "" {
			return users, nil
		}
		request.From = page.Next
	}
	return nil, targets.Invalidate("%s has more than %d users: the target cannot look after them", r, maxPages*pageSize)
}

// changes are tuples to be written or deleted, and what is to happen when there is nothing to do for one.
type changes struct {
	Tuples      []tuple `json:"tuple_keys"`
	OnDuplicate string  `json:"on_duplicate,omitempty"`
	OnMissing   string  `json:"on_missing,omitempty"`
}

func tuplesOf(grants []targets.Grant) []tuple {
	tuples := make([]tuple, 0, len(grants))
	for _, g := range grants {
		tuples = append(tuples, tupleOf(g))
	}
	return tuples
}

// write writes the tuples of all grants, or none and returns a rejection. One that is there already is an error, so that
// what others write in the meantime is not taken for ours.
func (s store) write(ctx context.Context, model string, grants []targets.Grant) error {
	return s.change(ctx, struct {
		Model  string  `json:"authorization_model_id,omitempty"`
		Writes changes `json:"writes"`
	}{model, changes{Tuples: tuplesOf(grants), OnDuplicate: "error"}})
}

// delete deletes the tuples of all grants, as far as they are there, or none and returns a rejection.
func (s store) delete(ctx context.Context, grants []targets.Grant) error {
	return s.change(ctx, struct {
		Deletes changes `json:"deletes"`
	}{changes{Tuples: tuplesOf(grants), OnMissing: "ignore"}})
}

// change makes the call. That there is no model concerns no tuple more than another; so OpenFGA also says of a store that was
// deleted a moment ago.
func (s store) change(ctx context.Context, request any) error {
	err := s.call(ctx, http.MethodPost, "/write", request, nil)
	if no, is := errors.AsType[*rejection](err); is && no.ofModel() {
		return targets.Invalidate("the store %s at %s has no such authorization model", s.id, s.api.Base)
	}
	return err
}

// rejection is an error that OpenFGA gives for what it was asked, and not for how it is.
type rejection struct {
	// code is OpenFGA's own; its message would name people.
	code string
}

// Error is the code.
func (r *rejection) Error() string { return "OpenFGA answers " + r.code }

// ofModel says that there is no model, be it the latest or a certain one.
func (r *rejection) ofModel() bool { return strings.HasSuffix(r.code, "authorization_model_not_found") }

// duplicate says that a tuple which was to be written is there already.
func (r *rejection) duplicate() bool { return r.code == "write_failed_due_to_invalid_input" }

// call makes a call about the store. It returns a rejection, an Invalid, or another error when the system is down.
func (s store) call(ctx context.Context, method, path string, in, out any) error {
	err := s.api.Call(ctx, method, "/stores/"+s.id+path, in, out)
	status, is := errors.AsType[*targets.StatusError](err)
	if !is {
		return err
	}
	code := codeOf(status)
	switch {
	case status.Status == http.StatusUnauthorized, status.Status == http.StatusForbidden:
		if s.secret == "" {
			return targets.Invalidate("%s wants a token (%d): name the Secret that holds it in credentials", s.api.Base, status.Status)
		}
		return targets.Invalidate("%s refuses the token of Secret %q (%d)", s.api.Base, s.secret, status.Status)
	case code == "store_id_not_found":
		return targets.Invalidate("there is no store %s at %s", s.id, s.api.Base)
	case status.Status == http.StatusBadRequest:
		return &rejection{cmp.Or(code, "400")}
	default:
		return fmt.Errorf("%s %w", s.api.Base, status)
	}
}

// aCode is what OpenFGA's codes look like: whatever else answers gets no words into a condition.
var aCode = regexp.MustCompile(`^[a-z_]{1,64}$`)

// codeOf is the code of an answer that says no; empty for one that OpenFGA did not give.
func codeOf(e *targets.StatusError) string {
	var answer struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(e.Body, &answer) != nil || !aCode.MatchString(answer.Code) {
		return ""
	}
	return answer.Code
}
