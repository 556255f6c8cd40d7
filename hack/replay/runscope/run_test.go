package runscope

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

const book = `{"totalResults":1,"schemas":["urn:books"],
	"Resources":[{"id":"b/1","lent":false,"titles":[{"value":"Emma"},{"value":"Tom & Jerry"}]}]}`

// library answers the collection of testdata, and notes what it is asked.
func library(t *testing.T, found string) (url string, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*asked = append(*asked, fmt.Sprintf("%s %s [%s] %s", r.Method, r.RequestURI, r.Header.Get("Authorization"), body))
		if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, `{"schemas":["urn:loan:1.0"]}`)
			return
		}
		_, _ = io.WriteString(w, found)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func run(t *testing.T, url string) ([]Result, error) {
	t.Helper()
	c, err := Load("testdata/library.json")
	if err != nil {
		t.Fatal(err)
	}
	return c.Run(t.Context(), http.DefaultClient, map[string]string{"SCIMBaseURL": url, "auth": "Bearer x", "title": "Tom & Jerry"})
}

func TestRunSendsWhatTheCollectionSays(t *testing.T) {
	url, asked := library(t, book)
	results, err := run(t, url)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if len(r.Failures) > 0 {
			t.Errorf("%s: %v", r.Step, r.Failures)
		}
	}
	if want := []string{
		"GET /Books?filter=title%20eq%20%22Tom%20&%20Jerry%22&count=1 [Bearer x] ",
		`POST /Books/b/1/loans [] {"title":"Tom & Jerry"}`,
	}; !slices.Equal(*asked, want) || len(results) != 2 {
		t.Errorf("%d results; asked\n%s\nwant\n%s", len(results), strings.Join(*asked, "\n"), strings.Join(want, "\n"))
	}
}

func TestRunReportsWhatDoesNotHold(t *testing.T) {
	for _, tt := range []struct{ old, new, failure string }{
		{`"totalResults":1`, `"totalResults":"1"`, `totalResults is "1", want is_a_number`},
		{`"totalResults":1`, `"totalResults":2`, `totalResults is "2", want equal "1"`},
		{`"totalResults":1`, `"total":1`, `totalResults equal: the answer has no totalResults`},
		{`["urn:books"]`, `"urn:books"`, `schemas is "urn:books", want has_value "urn:books"`},
		{`"lent":false`, `"lent":null`, `Resources[0].lent is "null", want not_empty`},
		{`"Tom & Jerry"`, `"Persuasion"`, `Resources[0].titles[1].value is "Persuasion", want equal "Tom & Jerry"`},
		{`{"value":"Emma"},`, ``, `Resources[0].titles[1].value equal: the answer has no Resources[0].titles[1].value`},
		{book, strings.Repeat(" ", answerLimit) + book, "an answer of more than 16 MiB"},
		{`"totalResults":1`, `"totalResults":true`, `totalResults is true, want a number`},
		{book, `<html>`, `the answer is not JSON`},
		{book, book + book, `the answer is more than one JSON value`},
	} {
		url, _ := library(t, strings.Replace(book, tt.old, tt.new, 1))
		results, err := run(t, url)
		if !strings.Contains(fmt.Sprint(results, err), tt.failure) {
			t.Errorf("results %v, %v; want %s", results, err, tt.failure)
		}
	}
}

func TestResourcesThatIsNoArrayFailsTheScript(t *testing.T) {
	url, _ := library(t, strings.NewReplacer("[{\"id\"", "{\"id\"", "]}]}", "]}}").Replace(book))
	results, err := run(t, url)
	if err == nil || !strings.Contains(err.Error(), `lend it: the variable "book" has no value`) {
		t.Errorf("got %v, want the missing variable", err)
	}
	if len(results) != 1 || !strings.Contains(strings.Join(results[0].Failures, "\n"), ", want an array") {
		t.Errorf("results %+v, want the failed script", results)
	}
}

// A variable that an answer did not set must not keep the value of an earlier one.
func TestRunForgetsAVariableAndLeavesTheGivenOnes(t *testing.T) {
	url, asked := library(t, strings.Replace(book, `"id"`, `"number"`, 1))
	c, err := Load("testdata/library.json")
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"SCIMBaseURL": url, "auth": "x", "title": "Tom & Jerry", "book": "stale"}
	if _, err := c.Run(t.Context(), http.DefaultClient, vars); err == nil || len(*asked) != 1 {
		t.Errorf("got %v after %v, want the end before the second request", err, *asked)
	}
	if vars["book"] != "stale" {
		t.Errorf("the given variables became %v", vars)
	}
}

func TestVariablesAreFreshAndConsistent(t *testing.T) {
	one, other := Variables("http://scim.example.com/v2/", "Bearer x"), Variables("", "")
	if one["randomFamilyName"] == other["randomFamilyName"] {
		t.Errorf("the same person twice: %v", one)
	}
	if one["SCIMBaseURL"] != "http://scim.example.com/v2" || one["auth"] != "Bearer x" {
		t.Errorf("got %v, want the base URL without its last slash and the header", one)
	}
	email := one["randomGivenName"] + one["randomFamilyName"] + "@atko.com"
	if one["randomEmail"] != email || one["randomUsername"] != email || one["randomUsernameCaps"] != strings.ToUpper(email) {
		t.Errorf("got %v, want all of them to be about %s", one, email)
	}
}
