// Package targets is what all kinds of AppTarget have in common: which grants people are to have in a system, how that
// differs from what is there, and how the difference is carried out in bounded steps, removals first. Each kind of system
// is a package below this one that implements System.
package targets
