package main

import (
	"io"

	"github.com/go-logr/logr"
	uberzap "go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// chatter are lines of controller-runtime that tell nobody anything: one for each watch and some for each controller at every
// start and end, and one for each probe until everything has been read, which says neither what failed nor why, as the answer
// to the probe does.
var chatter = map[string]bool{
	"Starting EventSource": true,
	"Starting Controller":  true, // "Starting workers" follows
	"All workers finished": true,
	"Shutdown signal received, waiting for all workers to finish": true,

	"healthz check failed": true,
}

// newLogger returns the log: JSON, or for people to read in development.
func newLogger(to io.Writer, development bool) logr.Logger {
	return zap.New(zap.WriteTo(to), zap.UseDevMode(development), withoutCode,
		zap.RawZapOpts(uberzap.WrapCore(func(c zapcore.Core) zapcore.Core { return withoutChatter{c} })))
}

// withoutCode leaves out lines of code, which say nothing to whoever has another version: an error says itself what failed. Where
// the operator panicked is told as before.
func withoutCode(o *zap.Options) {
	o.EncoderConfigOptions = append(o.EncoderConfigOptions, func(c *zapcore.EncoderConfig) { c.CallerKey = zapcore.OmitKey })
	o.StacktraceLevel = zapcore.DPanicLevel
}

type withoutChatter struct{ zapcore.Core }

func (c withoutChatter) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Level == zapcore.InfoLevel && chatter[e.Message] {
		return checked
	}
	return c.Core.Check(e, checked)
}

func (c withoutChatter) With(fields []zapcore.Field) zapcore.Core {
	return withoutChatter{c.Core.With(fields)}
}
