package scimserver

import "testing"

func TestPreferredType(t *testing.T) {
	for accept, want := range map[string]string{
		"":                                    scimJSON,
		"*/*":                                 scimJSON,
		"application/*":                       scimJSON,
		"application/scim+json":               scimJSON,
		"application/scim+json;charset=utf-8": scimJSON,
		"Application/SCIM+JSON":               scimJSON,
		"application/json":                    plainJSON,
		"application/json, text/plain, */*":   plainJSON,
		"application/json, application/scim+json":       scimJSON,
		"application/json, application/scim+json;q=0.5": plainJSON,
		"application/json;q=0.5, application/scim+json": scimJSON,
		"application/scim+json;q=0, application/json":   plainJSON,
		"text/html,application/xhtml+xml,*/*;q=0.8":     scimJSON,
		"*":                                scimJSON,
		"application/scim+json; charset":   scimJSON,
		"text/html":                        "",
		"application/xml, text/*":          "",
		"application/scim+json;q=0":        "",
		"*/*;q=0":                          "",
		"application/scim+json;q=nonsense": "",
		"nonsense":                         "",
	} {
		got, ok := preferredType([]string{accept})
		if got != want || ok != (want != "") {
			t.Errorf("preferredType(%q) = %q, %v; want %q", accept, got, ok, want)
		}
	}
	if got, _ := preferredType([]string{"text/html", "application/json"}); got != plainJSON {
		t.Errorf("of two Accept headers the second was not read: %q", got)
	}
}

func TestAcceptsBody(t *testing.T) {
	for contentType, want := range map[string]bool{
		"":                                true,
		"application/scim+json":           true,
		"application/json":                true,
		"application/json; charset=utf-8": true,
		"application/scim+json;charset=\"UTF-8\"": true,
		"application/json; charset=latin1":        false,
		"text/json":                               false,
		"text/plain":                              false,
		"application/x-www-form-urlencoded":       false,
		"application/":                            false,
	} {
		if got := acceptsBody(contentType); got != want {
			t.Errorf("acceptsBody(%q) = %v, want %v", contentType, got, want)
		}
	}
}
