package lifeline

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stopTimeout is for a busy machine; most programs end within a second.
const stopTimeout = 10 * time.Second

// Process is a program of others that runs beside this process. It ends with this process at the latest.
type Process struct {
	// Exited is closed when it has ended.
	Exited chan struct{}
	// Log is the path of a file with what it has written.
	Log string

	command *exec.Cmd
	stopped bool
}

// Start runs a command, with its log and the script that watches over it in dir. When this process ends before Stop, the
// leftovers, files or folders, are removed. Start returns an error when dir cannot be written or the program not be run.
func Start(dir string, command *exec.Cmd, leftovers ...string) (*Process, error) {
	program, err := Wrap(dir, command.Path, leftovers...)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(program + ".log")
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own copy
	command.Path = program
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &Process{Exited: make(chan struct{}), Log: log.Name(), command: command}
	go func() {
		_ = command.Wait() // how it ended is in its log
		close(p.Exited)
	}()
	return p, nil
}

// Signal sends it a signal. It returns an error when the process has ended.
func (p *Process) Signal(signal os.Signal) error { return p.command.Process.Signal(signal) }

// Stop ends it; a second time it does nothing. It returns an error when the process had to be killed.
func (p *Process) Stop() error {
	if p.stopped { // the number of its process group may be another's by now
		return nil
	}
	p.stopped = true
	group := -p.command.Process.Pid // with the one who watches over it
	_ = syscall.Kill(group, syscall.SIGTERM)
	_ = syscall.Kill(group, syscall.SIGCONT) // a paused one ends, too
	select {
	case <-p.Exited:
		return nil
	case <-time.After(stopTimeout):
		_ = syscall.Kill(group, syscall.SIGKILL)
		<-p.Exited
		return fmt.Errorf("%s did not end within %s and was killed", filepath.Base(p.command.Path), stopTimeout)
	}
}
