// Package connect plays what identity providers ask of a SCIM server while an
// administrator connects them to it: probes, lookups of who cannot exist, test
// users and test groups. What they make, they take away again.
package connect
