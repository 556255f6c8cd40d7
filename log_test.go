package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
)

func TestLogOfAnError(t *testing.T) {
	var out bytes.Buffer
	newLogger(&out, false).WithName("store").Error(errors.New("connection refused"), "The watch ended", "kind", "ScimUser")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", &out, err)
	}
	if keys := slices.Sorted(maps.Keys(line)); !slices.Equal(keys, []string{"error", "kind", "level", "logger", "msg", "ts"}) {
		t.Errorf("%s", &out)
	}
}
