package provider

import (
	"net/http"
	"testing"
)

func FuzzPage(f *testing.F) {
	f.Add(`{"schemas":["`+ListSchema+`"],"totalResults":1,"startIndex":1,"itemsPerPage":1,"Resources":[{"id":"x"}]}`, "application/scim+json", 1, 100)
	f.Add(`{"totalResults":1e400,"Resources":{}}`, "application/json; charset=utf-8", 3, 2)
	f.Add(`[`, ";", -1, 0)
	f.Fuzz(func(t *testing.T, body, contentType string, startIndex, count int) {
		a := Answer{status: http.StatusOK, header: http.Header{"Content-Type": {contentType}}, body: []byte(body)}
		p, err := a.Page(startIndex, count)
		if err == nil && (len(p.Resources) > count || len(p.Resources) > p.Total) {
			t.Errorf("accepted %d resources of %d, asked for %d", len(p.Resources), p.Total, count)
		}
	})
}
