package provider

import (
	"net/url"
	"strings"
)

var quotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// Equals is the filter that compares an attribute with a string.
func Equals(attribute, value string) string {
	return attribute + ` eq "` + quotes.Replace(value) + `"`
}

// Percent encodes a query value with %20 for a space, as providers do.
func Percent(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

// Filtered is the path of what the filter selects.
func Filtered(endpoint, filter string) string {
	return endpoint + "?filter=" + Percent(filter)
}
