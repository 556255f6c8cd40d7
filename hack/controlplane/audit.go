package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
)

// AuditDir is the environment variable that names a folder where each control plane then leaves a file about what the
// operator asked of it, as audit events in JSON, one a line.
const AuditDir = "CONTROLPLANE_AUDIT_DIR"

// auditPolicy tells who asked for what, and what came of it, of the operator alone: also when it acts as somebody else.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["%s"]
- level: None
`

// auditFlags are those of the API server, if AuditDir is set; run is where its policy is put.
func auditFlags(run string) (map[string]string, error) {
	dir := os.Getenv(AuditDir)
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	log, err := os.CreateTemp(dir, "*.jsonl")
	if err != nil {
		return nil, err
	}
	policy := filepath.Join(run, "audit.yaml")
	text := fmt.Appendf(nil, auditPolicy, accountGroups[len(accountGroups)-1])
	if err := os.WriteFile(policy, text, 0o600); err != nil {
		return nil, err
	}
	return map[string]string{"audit-policy-file": policy, "audit-log-path": log.Name()}, log.Close()
}
