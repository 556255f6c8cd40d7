// Package okta plays an Okta tenant against a running SCIM server: it sends
// the requests that Okta sends, in the order and the shape in which Okta sends
// them, and refuses every answer that Okta would refuse.
package okta
