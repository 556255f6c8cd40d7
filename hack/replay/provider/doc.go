// Package provider is what the identity providers that are played here have in
// common: how they send requests, which answers all of them refuse, and how a
// play goes from act to act.
package provider
