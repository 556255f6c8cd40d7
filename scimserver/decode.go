package scimserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

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
	// What is left to be invalid are escapes of half a character, cut by whoever counts in UTF-16: they become U+FFFD.
	d := objectDecoder{jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowInvalidUTF8(true))}
	value, err := d.value()
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, schema.Errorf(schema.InvalidSyntax, "the body must be a JSON object")
	}
	end := d.InputOffset()
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
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

type objectDecoder struct{ *jsontext.Decoder }

func (d objectDecoder) value() (any, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, d.malformed(err)
	}
	switch token.Kind() {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		if d.StackDepth() > maxDepth {
			return nil, schema.Errorf(schema.InvalidSyntax, "the body nests deeper than %d levels at byte %d", maxDepth, d.InputOffset())
		}
		if token.Kind() == jsontext.KindBeginObject {
			return d.object()
		}
		return d.array()
	case jsontext.KindString:
		return token.String(), nil
	case jsontext.KindNumber:
		return json.Number(token.String()), nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return token.Bool(), nil
	default:
		return nil, nil
	}
}

func (d objectDecoder) object() (any, error) {
	object := map[string]any{}
	for {
		name, err := d.ReadToken()
		if err != nil {
			return nil, d.malformed(err)
		}
		if name.Kind() == jsontext.KindEndObject {
			return object, nil
		}
		key := name.String() // before another token is read
		if object[key], err = d.value(); err != nil {
			return nil, err
		}
	}
}

func (d objectDecoder) array() (any, error) {
	array := []any{}
	for d.PeekKind() != jsontext.KindEndArray {
		element, err := d.value()
		if err != nil {
			return nil, err
		}
		array = append(array, element)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, d.malformed(err)
	}
	return array, nil
}

func (d objectDecoder) malformed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return schema.Errorf(schema.InvalidSyntax, "the JSON of the body ends too early")
	}
	at := d.InputOffset()
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at = syntax.ByteOffset
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return schema.Errorf(schema.InvalidSyntax, "the name %.64q occurs twice in one object, at byte %d", syntax.JSONPointer.LastToken(), at)
		}
	}
	return schema.Errorf(schema.InvalidSyntax, "the body is not valid JSON at byte %d", at)
}
