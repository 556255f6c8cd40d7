package patch

import (
	"errors"
	"fmt"
	"strings"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// maxOperations bounds one request, as sent and as expanded; a single operation can still carry any number of members.
const maxOperations = 1000

// Parse checks the body of a PATCH request and returns its operations, each with a path: a value without path becomes one
// operation per attribute in it. Operations on what is never stored, such as `password`, are left out.
// It returns a *schema.Error that names the operation.
func Parse(rt *schema.ResourceType, body map[string]any) ([]Operation, error) {
	if err := schema.CheckMessage(body, schema.PatchOpURN); err != nil {
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
	if len(sent) > maxOperations {
		return nil, schema.Errorf(schema.InvalidSyntax, "there are %d operations, more than %d: send several requests", len(sent), maxOperations)
	}
	var operations []Operation
	for i, operation := range sent {
		parsed, err := parseOperation(rt, operation)
		if err != nil {
			return nil, at(fmt.Sprintf("Operations[%d]", i), err)
		}
		if operations = append(operations, parsed...); len(operations) > maxOperations {
			return nil, schema.Errorf(schema.InvalidSyntax, "the operations change more than %d attributes: send several requests", maxOperations)
		}
	}
	return operations, nil
}

func parseOperation(rt *schema.ResourceType, sent any) ([]Operation, error) {
	object, ok := sent.(map[string]any)
	if !ok {
		return nil, schema.Errorf(schema.InvalidSyntax, "an operation must be an object")
	}
	op, err := parseOp(object)
	if err != nil {
		return nil, err
	}
	value, hasValue, err := schema.Member(object, "value")
	if err != nil {
		return nil, err
	}
	if !hasValue && op != Remove {
		return nil, schema.Errorf(schema.InvalidValue, "%s needs a value", op)
	}
	path, _, err := schema.Member(object, "path")
	if err != nil {
		return nil, err
	}
	switch path := path.(type) {
	case nil:
		return withoutPath(rt, op, value)
	case string:
		if strings.TrimSpace(path) == "" {
			return withoutPath(rt, op, value)
		}
		return withPath(rt, op, path, value)
	default:
		return nil, schema.Errorf(schema.InvalidPath, "path must be a string")
	}
}

func parseOp(object map[string]any) (Op, error) {
	value, _, err := schema.Member(object, "op")
	if err != nil {
		return "", err
	}
	name, _ := value.(string)
	switch op := Op(strings.ToLower(name)); op {
	case Add, Remove, Replace:
		return op, nil
	default:
		return "", schema.Errorf(schema.InvalidSyntax, "op must be add, remove or replace")
	}
}

// at adds to the detail of an error where it was found.
func at(place string, err error) error {
	bad, ok := errors.AsType[*schema.Error](err)
	if !ok {
		return err
	}
	return schema.Errorf(bad.ScimType, "%s: %s", place, bad.Detail)
}
