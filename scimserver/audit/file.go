package audit

import (
	"fmt"
	"os"
)

// file is a log file that can be rotated: it is opened anew when its path no longer leads to it. So a program such as
// logrotate only has to move it away; it needs no signal, of which a process that is about to start or to end might miss
// one, and nothing is written twice or cut off, as where the content is copied and truncated.
type file struct {
	path string
	open *os.File
	// torn says that the last line was not written in whole.
	torn bool
}

func openFile(path string) (*file, error) {
	f := &file{path: path}
	return f, f.reopen()
}

func (f *file) reopen() error {
	opened, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("the audit log: %w", err)
	}
	if f.open != nil {
		_ = f.open.Close() // what was written to it is written
	}
	f.open, f.torn = opened, false
	return nil
}

// Write appends a line to the file that is at the path now. If there cannot be one, the line goes to the file that was, which
// nobody may find, and the error is returned.
func (f *file) Write(line []byte) (int, error) {
	var failure error
	if f.moved() {
		failure = f.reopen()
	}
	whole := line
	if f.torn {
		whole = append([]byte{'\n'}, line...)
	}
	n, err := f.open.Write(whole)
	f.torn = err != nil && (n > 0 || f.torn)
	if err != nil {
		return 0, err
	}
	if failure != nil {
		return 0, failure
	}
	return len(line), nil
}

// moved says whether the path leads to another file, or to none.
func (f *file) moved() bool {
	there, err := os.Stat(f.path)
	if err != nil {
		return true
	}
	opened, err := f.open.Stat()
	return err != nil || !os.SameFile(there, opened)
}
