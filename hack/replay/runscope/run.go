package runscope

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Result is what came of one request of the collection.
type Result struct {
	Step     string
	Failures []string // one per failed assertion, script or variable; empty: passed
	Elapsed  time.Duration
}

// step is a request, what must hold of its answer, and what to keep of it.
type step struct {
	note, method, url, body string
	headers                 map[string][]string
	checks                  []check
	variables               []variableFrom
}

type variableFrom struct {
	name string
	path path
}

// Run makes the collection's requests in order. vars are its variables (see
// Variables) and stay unchanged. An answer that fails a check is a failure in
// the step's result; an error, with the results so far, means that the run
// could not go on: a request without an answer, or a variable without a value.
func (c *Collection) Run(ctx context.Context, client *http.Client, vars map[string]string) ([]Result, error) {
	vars = maps.Clone(vars)
	results := make([]Result, 0, len(c.steps))
	for _, s := range c.steps {
		result, err := s.run(ctx, client, vars)
		if err != nil {
			return results, fmt.Errorf("%s: %w", s.note, err)
		}
		results = append(results, result)
	}
	return results, nil
}

func (s step) run(ctx context.Context, client *http.Client, vars map[string]string) (Result, error) {
	a, err := s.send(ctx, client, vars)
	if err != nil {
		return Result{}, err
	}
	result := Result{Step: s.note, Elapsed: a.elapsed}
	for _, check := range s.checks {
		failure, err := check(a, vars)
		if err != nil {
			return Result{}, err
		}
		if failure != "" {
			result.Failures = append(result.Failures, failure)
		}
	}
	for _, v := range s.variables {
		value, err := a.property(v.path)
		if err != nil {
			delete(vars, v.name)
			result.Failures = append(result.Failures, fmt.Sprintf("variable %s: %v", v.name, err))
			continue
		}
		vars[v.name] = text(value)
	}
	return result, nil
}

func (s step) send(ctx context.Context, client *http.Client, vars map[string]string) (answer, error) {
	url, err := expand(s.url, vars)
	if err != nil {
		return answer{}, err
	}
	body, err := expand(s.body, vars)
	if err != nil {
		return answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, s.method, encodeURL(url), strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for name, values := range s.headers {
		for _, value := range values {
			expanded, err := expand(value, vars)
			if err != nil {
				return answer{}, err
			}
			request.Header.Add(name, expanded)
		}
	}
	return exchange(client, request)
}

const answerLimit = 16 << 20 // bytes of an answer

func exchange(client *http.Client, request *http.Request) (answer, error) {
	start := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, answerLimit+1))
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > answerLimit {
		return answer{}, fmt.Errorf("an answer of more than %d MiB", answerLimit>>20)
	}
	return newAnswer(response.StatusCode, time.Since(start), body), nil
}

// answer is a response with its body read as JSON, if it is that.
type answer struct {
	status  int
	elapsed time.Duration
	json    any
	notJSON error
}

func newAnswer(status int, elapsed time.Duration, body []byte) answer {
	a := answer{status: status, elapsed: elapsed}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&a.json); err != nil {
		a.notJSON = fmt.Errorf("the answer is not JSON: %w", err)
	} else if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		a.notJSON = errors.New("the answer is more than one JSON value")
	}
	return a
}

func (a answer) property(p path) (any, error) {
	if a.notJSON != nil {
		return nil, a.notJSON
	}
	value, present := p.of(a.json)
	if !present {
		return nil, fmt.Errorf("the answer has no %s", p)
	}
	return value, nil
}
