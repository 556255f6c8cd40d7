// Command chaos lets several replicas of the operator serve one directory while they are killed, paused and restarted, and
// their API server and etcd too, and proves from what the clients saw that no acknowledged write was lost, doubled or undone
// (github.com/anishathalye/porcupine checks linearizability), and that reads kept what docs/consistency.md promises.
package main
