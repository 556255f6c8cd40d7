// Package lifeline lets no server outlive the process that started it, however that process ends.
package lifeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// A watcher joins the server's process group and reads from a pipe that nobody ever writes to. The pipe ends
// when the last holder of its other end does, also by SIGKILL. Then the watcher ends the server, removes what
// would be left, and ends the group, itself included. As a member of the group it keeps the group's number,
// which is the server's process id, from being used again, so it can never hit a stranger. It does not hear the
// SIGHUP that the kernel sends to a group whose owner ends while a member is paused. The program takes over the
// shell's process id.
const script = `#!/bin/sh
if [ "$1" != --help ]; then
	(trap '' HUP; cat /dev/fd/%d; kill -s KILL $$; rm -rf -- %s; kill -s KILL -- -$$) </dev/null >/dev/null 2>&1 &
fi
exec %s "$@"
`

// Wrap writes a script of the program's name into dir, which runs the program. When this process ends, the
// program is ended and the leftovers, files or folders, are removed. The script must be started as leader of a
// process group of its own (SysProcAttr.Setpgid). Wrap returns the script's path, or an error when the script
// cannot be written or no pipe be made.
func Wrap(dir, program string, leftovers ...string) (string, error) {
	fd, err := readEnd()
	if err != nil {
		return "", fmt.Errorf("open a pipe to watch over %s: %w", program, err)
	}
	words := []string{program}
	words = append(words, leftovers...)
	for i, word := range words {
		if words[i], err = filepath.Abs(word); err != nil {
			return "", err
		}
		words[i] = quote(words[i])
	}
	path := filepath.Join(dir, filepath.Base(program))
	content := fmt.Appendf(nil, script, fd, strings.Join(words[1:], " "), words[0])
	return path, os.WriteFile(path, content, 0o700)
}

// readEnd opens the pipe once. Children inherit the read end; the write end is this process's alone
// and stays open until it is gone.
var readEnd = sync.OnceValues(func() (int, error) {
	var ends [2]int
	syscall.ForkLock.RLock() // no child may start between Pipe and CloseOnExec
	defer syscall.ForkLock.RUnlock()
	if err := syscall.Pipe(ends[:]); err != nil {
		return 0, err
	}
	syscall.CloseOnExec(ends[1])
	return ends[0], nil
})

func quote(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
