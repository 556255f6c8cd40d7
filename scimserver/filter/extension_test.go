package filter_test

import (
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/filter"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

var acme = schema.User.With(&schema.Schema{ID: "urn:acme:User", Attributes: []schema.Attribute{
	{Name: "level", Type: schema.Integer, Returned: "default"},
	{Name: "rate", Type: schema.Decimal, Returned: "default", MultiValued: true},
	{Name: "pin", Type: schema.String, Returned: "never"},
	{Name: "keys", Type: schema.Complex, Returned: "default", MultiValued: true, SubAttributes: []schema.Attribute{
		{Name: "value", Type: schema.String, Returned: "never"}, {Name: "rank", Type: schema.Integer, Returned: "default"},
	}},
	{Name: "cards", Type: schema.Complex, Returned: "never", MultiValued: true, SubAttributes: []schema.Attribute{
		{Name: "type", Type: schema.String, Returned: "default"},
	}},
}})

const extended = `{"urn:acme:User":{"level":10,"rate":[-0.5,1e3],"pin":"1","keys":[{"value":"s","rank":2}],"cards":[{"type":"a"}]}}`

func TestNumbers(t *testing.T) {
	tests := map[string]bool{
		`level eq 10`: true, `level eq 10.0`: true, `level eq "10"`: true, `level gt 9`: true, `level lt 9`: false, `level le 1e1`: true,
		`level ne 9`: true, `level pr`: true, `level ne null`: true,
		`rate eq 1000`: true, `rate lt 0`: true, `rate gt 1000`: false, `rate eq -0.5`: true,
		`keys[rank ge 2]`: true, `keys[rank gt 2]`: false, `keys.rank eq 2`: true,
	}
	for text, want := range tests {
		f, err := filter.Parse(acme, "urn:acme:User:"+text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if f.Match(decodeTree(t, []byte(extended))) != want {
			t.Errorf("%s is not %v", text, want)
		}
	}
}

func TestNumbersRefused(t *testing.T) {
	for _, text := range []string{`level co 1`, `level eq x`, `level eq true`, `level eq ""`, `rate eq nan`, `rate gt null`, `rate eq 1e999`} {
		_, err := filter.Parse(acme, "urn:acme:User:"+text)
		if err == nil {
			t.Errorf("%s is accepted", text)
		} else {
			wantInvalid(t, err)
		}
	}
}

// TestSecret: RFC 7643 §2.2 lets nobody read what is never returned, so no answer may depend on it.
func TestSecret(t *testing.T) {
	for _, text := range []string{
		`pin eq "1"`, `pin pr`, `pin eq null`, `not (urn:acme:User:pin sw "1")`, `keys eq "s"`, `keys.value eq "s"`, `keys[value eq "s"]`,
		`keys[rank eq 2].value eq "s"`, `keys[rank eq 2].value pr`, `cards[type eq "a"]`, `cards.type eq "a"`, `cards pr`, `cards[type pr].type eq "a"`,
	} {
		full := "urn:acme:User:" + text
		if text[0] == 'n' {
			full = text
		}
		if _, err := filter.Parse(acme, full); err == nil {
			t.Errorf("%s is accepted", full)
		}
	}
	if _, _, err := filter.ParsePath(acme, `urn:acme:User:keys[value eq "s"]`); err == nil {
		t.Error("a PATCH could try values")
	}
	if _, _, err := filter.ParsePath(acme, `urn:acme:User:cards[type eq "a"].type`); err != nil {
		t.Errorf("a PATCH cannot change one of several: %v", err)
	}
}

func TestOrderByExtension(t *testing.T) {
	key := func(level string) string {
		o, err := filter.ParseOrder(acme, "urn:acme:User:level", "")
		if err != nil {
			t.Fatal(err)
		}
		return o.Key(decodeTree(t, []byte(`{"urn:acme:User":{"level":`+level+`}}`)))
	}
	levels := []string{"-1e300", "-10", "-9.5", "-1e-300", "0", "1e-300", "9", "10", "1e300"}
	for i := range levels[1:] {
		if key(levels[i]) >= key(levels[i+1]) {
			t.Errorf("%s is not before %s", levels[i], levels[i+1])
		}
	}
	if key("-0.0") != key("0") {
		t.Error("-0 differs from 0")
	}
	for _, secret := range []string{"pin", "keys", "keys.value", "cards.type"} {
		if _, err := filter.ParseOrder(acme, "urn:acme:User:"+secret, ""); err == nil {
			t.Errorf("the order would tell %s", secret)
		}
	}
}
