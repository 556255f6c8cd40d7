// Package runscope runs a Runscope test collection, the form in which Okta
// publishes its SCIM acceptance test. What the package does not know it
// refuses when it loads the file: no step and no check is ever skipped.
package runscope

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Collection is a loaded test: its steps in order.
type Collection struct {
	Name  string
	steps []step
}

const collectionLimit = 8 << 20 // bytes of a collection file

// Load reads a collection file. It returns an error for a file that cannot be
// read or is no collection, and for any step, check or script that Run could
// not carry out; the error names the step.
func Load(path string) (*Collection, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, collectionLimit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	c, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// parse knows every key of a collection; an unknown one could be a check.
func parse(content []byte) (*Collection, error) {
	if len(content) > collectionLimit {
		return nil, fmt.Errorf("larger than %d MiB", collectionLimit>>20)
	}
	var file struct {
		Version     string         `json:"version"`
		ExportedAt  json.Number    `json:"exported_at"`
		Name        string         `json:"name"`
		Description string         `json:"description"`
		TriggerURL  string         `json:"trigger_url"`
		Steps       []exportedStep `json:"steps"`
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("not a Runscope collection: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	if len(file.Steps) == 0 {
		return nil, errors.New("a collection without steps checks nothing")
	}

	c := &Collection{Name: file.Name}
	for i, exported := range file.Steps {
		s, err := exported.compile()
		if err != nil {
			return nil, fmt.Errorf("step %d (%s): %w", i+1, exported.Note, err)
		}
		if s != nil {
			c.steps = append(c.steps, *s)
		}
	}
	return c, nil
}

// exportedStep is a step as Runscope writes it.
type exportedStep struct {
	Type          string              `json:"step_type"`
	Skipped       bool                `json:"skipped"`
	Note          string              `json:"note"`
	Duration      json.Number         `json:"duration"`
	Method        string              `json:"method"`
	URL           string              `json:"url"`
	Headers       map[string][]string `json:"headers"`
	Body          string              `json:"body"`
	BinaryBody    json.RawMessage     `json:"binary_body"`
	Auth          json.RawMessage     `json:"auth"`
	Form          json.RawMessage     `json:"form"`
	MultipartForm json.RawMessage     `json:"multipart_form"`
	Assertions    []exportedAssertion `json:"assertions"`
	Variables     []exportedVariable  `json:"variables"`
	Scripts       []string            `json:"scripts"`
	BeforeScripts []string            `json:"before_scripts"`
}

type exportedAssertion struct {
	Comparison string `json:"comparison"`
	Source     string `json:"source"`
	Property   string `json:"property"`
	Value      any    `json:"value"`
}

type exportedVariable struct {
	Name     string `json:"name"`
	Source   string `json:"source"`
	Property string `json:"property"`
}

// compile gives nil for a pause: the server under test needs none.
func (e exportedStep) compile() (*step, error) {
	if e.Skipped {
		return nil, errors.New("marked as skipped; remove the mark or the step")
	}
	switch e.Type {
	case "pause":
		return nil, nil
	case "request":
	default:
		return nil, fmt.Errorf("unknown step_type %q", e.Type)
	}
	if err := e.unsupported(); err != nil {
		return nil, err
	}

	s := &step{note: e.Note, method: e.Method, url: e.URL, headers: e.Headers, body: e.Body}
	for _, assertion := range e.Assertions {
		compiled, err := assertion.compile()
		if err != nil {
			return nil, err
		}
		s.checks = append(s.checks, compiled)
	}
	for _, script := range e.Scripts {
		if strings.TrimSpace(script) == "" {
			continue
		}
		equivalent, err := recognize(script)
		if err != nil {
			return nil, err
		}
		s.checks = append(s.checks, equivalent)
	}
	for _, variable := range e.Variables {
		if variable.Source != "response_json" {
			return nil, fmt.Errorf("variable %s: unknown source %q", variable.Name, variable.Source)
		}
		p, err := parsePath(variable.Property)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", variable.Name, err)
		}
		s.variables = append(s.variables, variableFrom{variable.Name, p})
	}
	return s, nil
}

// unsupported names what a step holds that Run would not send or do.
func (e exportedStep) unsupported() error {
	if e.Method == "" || e.URL == "" {
		return errors.New("a request needs a method and a url")
	}
	for name, value := range map[string]json.RawMessage{
		"auth": e.Auth, "form": e.Form, "multipart_form": e.MultipartForm, "binary_body": e.BinaryBody,
	} {
		if !slices.Contains([]string{"", "null", "{}", "[]"}, string(value)) {
			return fmt.Errorf("%s is not supported", name)
		}
	}
	for _, script := range e.BeforeScripts {
		if strings.TrimSpace(script) != "" {
			return errors.New("before_scripts are not supported")
		}
	}
	return nil
}
