// Package schema is RFC 7643 as data: the attributes of users and groups, and the rules that follow from them.
// It brings what identity providers send into one canonical form (Normalize), and picks what they ask to see (Projection).
//
// A resource is a JSON tree as encoding/json decodes it with UseNumber.
package schema
