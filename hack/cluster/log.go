package cluster

import (
	"bytes"
	"io"
	"time"
)

// log writes what it is given as a container runtime keeps it: each line with its time and its stream.
type log struct {
	to   io.WriteCloser
	rest []byte // of a line that has not ended
}

// Write returns an error when a line cannot be written.
func (l *log) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		entry := time.Now().UTC().AppendFormat(nil, time.RFC3339Nano)
		entry = append(append(append(entry, " stdout F "...), line...), '\n')
		if _, err := l.to.Write(entry); err != nil {
			return 0, err
		}
		l.rest = rest
	}
}
