package main

import (
	"github.com/go-logr/logr"
	uberzap "go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// chatter are lines of controller-runtime that tell nobody anything: one for each watch of each controller at every start,
// and one for each probe until everything has been read, which says neither what failed nor why; the answer to the probe does.
var chatter = map[string]bool{"Starting EventSource": true, "healthz check failed": true}

// newLogger returns the log on standard error: JSON, or for people to read in development.
func newLogger(development bool) logr.Logger {
	return zap.New(zap.UseDevMode(development), zap.RawZapOpts(
		uberzap.WithCaller(development),
		uberzap.WrapCore(func(c zapcore.Core) zapcore.Core { return withoutChatter{c} }),
	))
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
