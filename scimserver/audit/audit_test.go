package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func quiet() Options { return Options{Log: slog.New(slog.DiscardHandler)} }

// lost is what the metric says.
func lost(t *testing.T, l *Log) float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(l.lost)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families[0].Metric[0].GetCounter().GetValue()
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	l, err := Open(path, quiet())
	if err != nil {
		t.Fatal(err)
	}
	l.Logger().Info("scim", "request", "r-1", "resource", "a\nb")
	lines := strings.SplitAfter(read(t, path), "\n")
	if len(lines) != 2 || lines[1] != "" {
		t.Fatalf("not one line when the record is written: %q", lines)
	}
	record := map[string]any{}
	if err := json.Unmarshal([]byte(lines[0]), &record); err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339Nano, record["time"].(string))
	if _, level := record["level"]; err != nil || at.Location() != time.UTC || level || record["msg"] != "scim" || record["request"] != "r-1" {
		t.Errorf("record %v", record)
	}
	l.Close(time.Second)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}

	again, err := Open(path, quiet())
	if err != nil {
		t.Fatal(err)
	}
	again.Logger().Info("grant")
	if n := strings.Count(read(t, path), "\n"); n != 2 {
		t.Errorf("%d lines after the second start", n)
	}
}

func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	l, err := Open(path, quiet())
	if err != nil {
		t.Fatal(err)
	}
	log := l.Logger()
	log.Info("one")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	log.Info("two")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log.Info("three")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	log.Info("four")
	for file, want := range map[string]string{path + ".1": `"msg":"one"`, path: `"msg":"four"`} {
		if got := read(t, file); strings.Count(got, "\n") != 1 || !strings.Contains(got, want) {
			t.Errorf("%s: %q", file, got)
		}
	}
	if lost(t, l) != 0 {
		t.Error("something was lost")
	}
}

func TestNoFile(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "no", "audit.log"), quiet()); err == nil || !strings.HasPrefix(err.Error(), "the audit log: ") {
		t.Errorf("error %v", err)
	}
}

func TestPlaceThatIsGone(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := Open(filepath.Join(dir, "logs", "audit.log"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "logs"), filepath.Join(dir, "old")); err != nil {
		t.Fatal(err)
	}
	l.Logger().Info("one")
	l.Close(time.Second)
	if got := read(t, filepath.Join(dir, "old", "audit.log")); !strings.Contains(got, "one") || lost(t, l) != 1 {
		t.Errorf("%q, %v lost", got, lost(t, l))
	}
}

// sink fails, or blocks, as it is told.
type sink struct {
	mu     sync.Mutex
	failed error
	bytes.Buffer
}

func (s *sink) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return 0, s.failed
	}
	return s.Buffer.Write(line)
}

func TestFailure(t *testing.T) {
	ordinary := &bytes.Buffer{}
	full := &sink{failed: errors.New("no space left on device")}
	l := start(full, Options{Log: slog.New(slog.NewTextHandler(ordinary, nil))})
	l.Logger().Info("scim", "resource", "ScimUser/1")
	full.mu.Lock()
	full.failed = nil
	full.mu.Unlock()
	l.Logger().Info("after")
	if lost(t, l) != 1 || !strings.Contains(full.String(), "after") {
		t.Errorf("%v lost, %q", lost(t, l), full.String())
	}
	if got := ordinary.String(); !strings.Contains(got, "no space left on device") || strings.Contains(got, "ScimUser") {
		t.Errorf("log %q", got)
	}
}

func TestDestinationThatHangs(t *testing.T) {
	stuck := &sink{}
	stuck.mu.Lock()
	l := start(stuck, quiet())
	began := time.Now()
	for range 50 {
		l.Logger().Info("scim")
	}
	if took := time.Since(began); took < patience || took > 2*patience {
		t.Errorf("fifty writers were held up for %s", took)
	}
	for range maxQueued {
		l.Logger().Info("scim")
	}
	if n := lost(t, l); n < 49 || n > 50 {
		t.Errorf("%v lost beyond the queue", n)
	}
	stuck.mu.Unlock()
	l.Close(10 * time.Second)
	if n := strings.Count(stuck.String(), "\n"); n < maxQueued {
		t.Errorf("%d written in the end", n)
	}
	if _, err := l.Write([]byte("x\n")); !errors.Is(err, errClosed) {
		t.Errorf("written after the end: %v", err)
	}
}

func TestTornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(`{"half`)); err != nil {
		t.Fatal(err)
	}
	f.torn = true
	if _, err := f.Write([]byte("{}\n")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "{\"half\n{}\n" || f.torn {
		t.Errorf("%q", got)
	}
}
