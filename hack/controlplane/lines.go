package controlplane

import "bytes"

// lastLines returns the last n lines of a log.
func lastLines(log []byte, n int) []byte {
	lines := bytes.Split(bytes.TrimRight(log, "\n"), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-n):], []byte("\n"))
}
