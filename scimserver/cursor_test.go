package scimserver

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/scim-operator/scim-operator/scimserver/store"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestCursorLeadsBackToItsPosition(t *testing.T) {
	for _, at := range []store.Position{
		{ResourceType: "User", Created: noon, ID: "2819c223-7f76-453a-919d-413861904646"},
		{ResourceType: "Group", Created: noon.Add(-time.Hour), ID: "x", SortKey: "straße\nwith another line"},
		{ResourceType: "User", Created: time.Unix(0, 0), ID: "x", SortKey: strings.Repeat("ä", 512)},
	} {
		text := newCursor("list", at, noon)
		if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%s cannot stand in a URL as it is", text)
		}
		got, err := parseCursor("list", text, noon.Add(cursorTimeout))
		if err != nil || !got.Created.Equal(at.Created) {
			t.Fatalf("%+v: %+v, %v", at, got, err)
		}
		if got.Created = at.Created; *got != at {
			t.Errorf("got %+v, want %+v", got, at)
		}
	}
}

func TestCursorIsRefused(t *testing.T) {
	encode := func(parts ...string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "\n")))
	}
	for name, x := range map[string]struct{ cursor, want string }{
		"of another list":     {encode("other", "1769860800", "User", "0", "x", ""), "invalidCursor: the cursor belongs to another list"},
		"too old":             {encode("list", "1769857199", "User", "0", "x", ""), "expiredCursor: the cursor is older than 3600 seconds"},
		"from the future":     {encode("list", "1769860861", "User", "0", "x", ""), "invalidCursor: the cursor is damaged"},
		"of no time":          {encode("list", "now", "User", "0", "x", ""), "invalidCursor: the cursor is damaged"},
		"behind no time":      {encode("list", "1769860800", "User", "", "x", ""), "invalidCursor: the cursor is damaged"},
		"of an unknown type":  {encode("list", "1769860800", "Device", "0", "x", ""), "invalidCursor: the cursor is damaged"},
		"with an id of a log": {encode("list", "1769860800", "User", "0", "x y", ""), "invalidCursor: the cursor is damaged"},
		"without an id":       {encode("list", "1769860800", "User", "0", "", ""), "invalidCursor: the cursor is damaged"},
		"too short":           {encode("list", "1769860800"), "invalidCursor: this is no cursor"},
		"too long":            {encode("list", "1769860800", "User", "0", "x", strings.Repeat("x", maxCursor)), "invalidCursor: this is no cursor"},
		"made up":             {"abc", "invalidCursor: this is no cursor"},
		"no base64":           {"../etc", "invalidCursor: this is no cursor"},
	} {
		if _, err := parseCursor("list", x.cursor, noon); err == nil || !strings.HasPrefix(err.Error(), x.want) {
			t.Errorf("a cursor %s: %v, want %q", name, err, x.want)
		}
	}
}

func FuzzCursor(f *testing.F) {
	f.Add(newCursor("list", store.Position{ResourceType: "User", Created: noon, ID: "x", SortKey: "k"}, noon))
	f.Add("")
	f.Add("bGlzdAow")
	f.Fuzz(func(t *testing.T, text string) {
		at, err := parseCursor("list", text, noon)
		if err != nil {
			return
		}
		again, err := parseCursor("list", newCursor("list", *at, noon), noon)
		if err != nil || *again != *at {
			t.Errorf("%q is %+v, and again %+v, %v", text, at, again, err)
		}
	})
}
