// Package programs keeps what the tests run beside the operator: programs of others in folders of bin, built from Go
// modules when they are first needed.
package programs
