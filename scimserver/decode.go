package scimserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// maxDepth bounds how deep arrays and objects nest in a body.
const maxDepth = 64

// decodeObject reads a body that is one JSON object and nothing else. Stricter than encoding/json, it refuses invalid
// UTF-8, a name that occurs twice in an object (RFC 7493 §2.3), and nesting beyond maxDepth.
// It returns a *schema.Error of type invalidSyntax with the position; it never quotes a value.
func decodeObject(body []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, schema.Errorf(schema.InvalidSyntax, "the body is empty; send a JSON object")
	}
	if at := invalidUTF8(body); at >= 0 {
		return nil, schema.Errorf(schema.InvalidSyntax, "the body is not valid UTF-8 at byte %d", at)
	}
	d := objectDecoder{json.NewDecoder(bytes.NewReader(body))}
	d.UseNumber()
	value, err := d.value(0)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, schema.Errorf(schema.InvalidSyntax, "the body must be a JSON object")
	}
	end := d.InputOffset()
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, schema.Errorf(schema.InvalidSyntax, "something follows the JSON object, after byte %d", end)
	}
	return object, nil
}

func invalidUTF8(body []byte) int {
	if utf8.Valid(body) {
		return -1
	}
	for at := 0; ; {
		r, size := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
}

type objectDecoder struct{ *json.Decoder }

func (d objectDecoder) value(depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, d.malformed(err)
	}
	opening, nests := token.(json.Delim)
	if !nests {
		return token, nil
	}
	if depth == maxDepth {
		return nil, schema.Errorf(schema.InvalidSyntax, "the body nests deeper than %d levels at byte %d", maxDepth, d.InputOffset())
	}
	if opening == '{' {
		return d.object(depth + 1)
	}
	return d.array(depth + 1)
}

func (d objectDecoder) object(depth int) (any, error) {
	object := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, d.malformed(err)
		}
		name := token.(string) // Token refuses any other name
		if _, twice := object[name]; twice {
			return nil, schema.Errorf(schema.InvalidSyntax, "the name %.64q occurs twice in one object, at byte %d", name, d.InputOffset())
		}
		if object[name], err = d.value(depth); err != nil {
			return nil, err
		}
	}
	return object, d.closing()
}

func (d objectDecoder) array(depth int) (any, error) {
	array := []any{}
	for d.More() {
		element, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		array = append(array, element)
	}
	return array, d.closing()
}

func (d objectDecoder) closing() error {
	if _, err := d.Token(); err != nil {
		return d.malformed(err)
	}
	return nil
}

func (d objectDecoder) malformed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return schema.Errorf(schema.InvalidSyntax, "the JSON of the body ends too early")
	}
	at := d.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = syntax.Offset
	}
	return schema.Errorf(schema.InvalidSyntax, "the body is not valid JSON at byte %d", at)
}
