package scimserver

import "testing"

func TestParseRoute(t *testing.T) {
	const id = "2819c223-7f76-453a-919d-413861904646"
	for path, want := range map[string]route{
		"/scim/v2/Users":                    {pattern: "Users"},
		"/scim/v2/Users/":                   {pattern: "Users"},
		"/scim/v2/users":                    {pattern: "Users"},
		"/scim/v2/Users/" + id:              {pattern: "Users/{id}", id: id},
		"/scim/v2/groups/" + id + "/":       {pattern: "Groups/{id}", id: id},
		"/scim/v2/Users/.search":            {pattern: "Users/.search"},
		"/scim/v2/.search":                  {pattern: ".search"},
		"/scim/v2/serviceproviderconfig":    {pattern: "ServiceProviderConfig"},
		"/scim/v2/Users/a/b":                {},
		"/scim/v2/acme/okta/Users":          {namespace: "acme", directory: "okta", pattern: "Users"},
		"/scim/v2//acme//okta/Users":        {namespace: "acme", directory: "okta", pattern: "Users"},
		"/scim/v2/acme/okta/USERS/x":        {namespace: "acme", directory: "okta", pattern: "Users/{id}", id: "x"},
		"/scim/v2/acme/okta/Users/a%2Fb":    {namespace: "acme", directory: "okta", pattern: "Users/{id}", id: "a/b"},
		"/scim/v2/users/groups/Users":       {namespace: "users", directory: "groups", pattern: "Users"},
		"/scim/v2/acme/okta":                {namespace: "acme", directory: "okta"},
		"/scim/v2/acme/okta/":               {namespace: "acme", directory: "okta"},
		"/scim/v2/acme/okta/Nothing":        {namespace: "acme", directory: "okta"},
		"/scim/v2/acme/okta/Users/a/b":      {namespace: "acme", directory: "okta"},
		"/scim/v2/acme/okta/Schemas/urn:a:": {namespace: "acme", directory: "okta", pattern: "Schemas/{id}", id: "urn:a:"},
		"/scim/v2/acme":                     {},
		"/scim/v2/":                         {},
		"/scim/v2":                          {},
		"/scim/v2/%zz/Users":                {},
	} {
		if got, ok := parseRoute(path); !ok || got != want {
			t.Errorf("parseRoute(%q) = %+v, %v; want %+v", path, got, ok, want)
		}
	}
	for _, path := range []string{"", "/", "/scim", "/scim/v1/Users", "/scim/v2x/Users", "/Users"} {
		if got, ok := parseRoute(path); ok {
			t.Errorf("parseRoute(%q) = %+v, want no route", path, got)
		}
	}
}

func TestEveryEndpointHasARoute(t *testing.T) {
	for pattern := range endpoints {
		if r, ok := parseRoute(root + "/" + pattern); !ok || r.pattern != pattern {
			t.Errorf("the path %s/%s leads to %q", root, pattern, r.pattern)
		}
	}
}
