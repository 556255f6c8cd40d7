// Package audit is the stream of the audit log: JSON lines on standard output or in a file, apart from all other logs.
package audit

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Stdout is the destination that is no file.
const Stdout = "stdout"

const (
	// patience is how long who writes a record waits until it is written. A full disk or a reader that has stopped must not
	// hold up an identity provider, whose changes are stored already.
	patience = time.Second
	// maxQueued is how many records wait for such a destination before further ones are lost.
	maxQueued = 10_000
)

var (
	errFull   = errors.New("too many records wait to be written")
	errClosed = errors.New("the audit log is closed")
)

// Options are what a Log needs to tell of records that are lost.
type Options struct {
	// Log takes the errors.
	Log *slog.Logger
	// Registerer takes the metrics; nil for none.
	Registerer prometheus.Registerer
}

// Log is an audit log. Its records are written one after the other by a goroutine of its own.
type Log struct {
	to    io.Writer
	log   *slog.Logger
	lost  prometheus.Counter
	queue chan record
	// late says that somebody has lost patience, so that until a record is written again nobody waits.
	late atomic.Bool
	// closing is closed when no more records are taken, ended when all that were taken are written.
	closing, ended chan struct{}
}

type record struct {
	line    []byte
	written chan struct{}
}

// Open starts an audit log on standard output or on a file, which is created for its owner alone and only ever appended
// to. It returns an error when the file cannot be opened.
func Open(destination string, o Options) (*Log, error) {
	if destination == Stdout {
		return start(os.Stdout, o), nil
	}
	f, err := openFile(destination)
	if err != nil {
		return nil, err
	}
	return start(f, o), nil
}

func start(to io.Writer, o Options) *Log {
	l := &Log{
		to: to, log: o.Log,
		lost: promauto.With(o.Registerer).NewCounter(prometheus.CounterOpts{
			Name: "scim_audit_records_lost_total",
			Help: "Records of the audit log that could not be written.",
		}),
		queue:   make(chan record, maxQueued),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	go l.run()
	return l
}

// Logger returns a logger whose records have their time in UTC, and no level.
func (l *Log) Logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		switch {
		case len(groups) > 0:
			return a
		case a.Key == slog.LevelKey:
			return slog.Attr{}
		case a.Key == slog.TimeKey:
			return slog.Time(a.Key, a.Value.Time().UTC())
		default:
			return a
		}
	}}))
}

// Write takes one record, a line, and returns when it is written, or when that takes too long. Then it is written later.
// What is lost is logged and counted, and returned as an error.
func (l *Log) Write(line []byte) (int, error) {
	r := record{line: append([]byte(nil), line...), written: make(chan struct{})}
	select {
	case <-l.closing:
		return 0, l.lose(errClosed)
	default:
	}
	select {
	case l.queue <- r:
	default:
		return 0, l.lose(errFull)
	}
	if l.late.Load() {
		return len(line), nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-r.written:
	case <-timer.C:
		l.late.Store(true)
	}
	return len(line), nil
}

// Close writes what was taken before, for as long as that goes on within the time given, and takes no more.
func (l *Log) Close(within time.Duration) {
	close(l.closing)
	select {
	case <-l.ended:
	case <-time.After(within):
		l.log.Error("The audit log ended before all of its records were written", "records", len(l.queue))
	}
}

func (l *Log) run() {
	defer close(l.ended)
	for {
		select {
		case r := <-l.queue:
			l.write(r)
		case <-l.closing:
			for {
				select {
				case r := <-l.queue:
					l.write(r)
				default:
					return
				}
			}
		}
	}
}

func (l *Log) write(r record) {
	defer close(r.written)
	if _, err := l.to.Write(r.line); err != nil {
		_ = l.lose(err)
		return
	}
	l.late.Store(false)
}

// lose tells of a lost record. The record itself is not repeated in another log.
func (l *Log) lose(err error) error {
	l.lost.Inc()
	l.log.Error("A record of the audit log is lost", "error", err.Error())
	return err
}
