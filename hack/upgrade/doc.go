// Package upgrade proves that what an operator of another time has written can be relied on: a backup of it, and what the
// last release left in the cluster.
package upgrade
