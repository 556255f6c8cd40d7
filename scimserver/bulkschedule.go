package scimserver

import "slices"

// schedule groups operations into steps and orders the steps. needs lists, for each operation, the operations that make
// what it refers to, each once. Operations that refer to each other in a circle are one step, every other is a step of its
// own. Steps keep the order of the request (a circle stands where its first operation stands), except that one which needs
// others waits until they are done.
func schedule(needs [][]int) [][]int {
	steps := circles(needs)
	slices.SortFunc(steps, func(a, b []int) int { return a[0] - b[0] })
	stepOf := make([]int, len(needs))
	for s, step := range steps {
		for _, operation := range step {
			stepOf[operation] = s
		}
	}
	waitsFor := make([]int, len(steps)) // how many needs of the step are not met; -1: the step is done
	neededBy := make([][]int, len(steps))
	for operation, targets := range needs {
		for _, target := range targets {
			if s, t := stepOf[operation], stepOf[target]; s != t {
				waitsFor[s]++
				neededBy[t] = append(neededBy[t], s)
			}
		}
	}
	ordered := make([][]int, 0, len(steps))
	for range steps {
		next := slices.Index(waitsFor, 0) // there always is one: no circle leads through several steps
		waitsFor[next] = -1
		for _, s := range neededBy[next] {
			waitsFor[s]--
		}
		ordered = append(ordered, steps[next])
	}
	return ordered
}

// circles returns the strongly connected components of a graph, each in ascending order: Tarjan's algorithm.
func circles(edges [][]int) [][]int {
	var components [][]int
	var stack []int
	visits := 0
	visited := make([]int, len(edges)) // when a node was first visited, from 1
	lowest := make([]int, len(edges))  // the earliest visited node on the stack that can be reached
	onStack := make([]bool, len(edges))
	var visit func(int)
	visit = func(node int) {
		visits++
		visited[node], lowest[node] = visits, visits
		onStack[node] = true
		stack = append(stack, node)
		for _, next := range edges[node] {
			switch {
			case visited[next] == 0:
				visit(next)
				lowest[node] = min(lowest[node], lowest[next])
			case onStack[next]:
				lowest[node] = min(lowest[node], visited[next])
			}
		}
		if lowest[node] < visited[node] {
			return
		}
		start := slices.Index(stack, node)
		component := slices.Clone(stack[start:])
		stack = stack[:start]
		for _, member := range component {
			onStack[member] = false
		}
		slices.Sort(component)
		components = append(components, component)
	}
	for node := range edges {
		if visited[node] == 0 {
			visit(node)
		}
	}
	return components
}
