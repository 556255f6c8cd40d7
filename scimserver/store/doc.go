// Package store keeps SCIM resources as custom resources: a read index over all of them, and the protocol by which any
// number of replicas write them without losing or doubling anything.
//
// Reads come from the index. It is fed by one watch for each kind, in the order in which etcd committed the changes, and
// a relist replaces a kind's objects in one step. So once the index shows a write, it shows every earlier write of that
// kind. Everything rests on this: a write is acknowledged only after the index has shown it and nobody else was found to
// hold the same name.
package store
