package scimserver

import (
	"log/slog"
	"net/http"

	"github.com/scim-operator/scim-operator/scimserver/store"
)

// maxAuditedMembers bounds the ids of members in one record; their number is given in any case.
const maxAuditedMembers = 100

// audit leaves the record of a request, or of an operation of a bulk request, that changed something, or was to: before
// it is answered, so that nothing is acknowledged that is not on record. docs/auditing.md describes the fields. It returns
// what was changed; nil for nothing.
func (h *handler) audit(q *request, status int, err error) *store.Change {
	if q.credential.Directory == "" {
		return nil // anybody can send what comes without a token; the request log has it
	}
	var change *store.Change
	if q.directory != nil {
		change = q.directory.Change()
	}
	if h.auditLog == nil {
		return change
	}
	about := change
	if about == nil {
		about = q.attempted(status)
	}
	if about == nil {
		return nil
	}
	attributes := []slog.Attr{
		slog.String("request", q.id),
		slog.String("namespace", q.credential.Namespace),
		slog.String("directory", q.credential.Directory),
		slog.String("token", q.credential.Token),
		slog.String("source", q.client),
	}
	if about.Operation != "" {
		attributes = append(attributes, slog.String("operation", about.Operation), slog.String("resource", about.Resource))
	}
	attributes = append(attributes, slog.Int("result", status))
	if err != nil && problemOf(err).scimType != "" {
		attributes = append(attributes, slog.String("scimType", problemOf(err).scimType))
	}
	if len(about.Attributes) > 0 {
		attributes = append(attributes, slog.Any("attributes", about.Attributes))
	}
	attributes = appendMembers(attributes, "membersAdded", about.MembersAdded)
	attributes = appendMembers(attributes, "membersRemoved", about.MembersRemoved)
	h.auditLog.LogAttrs(q.Context(), slog.LevelInfo, "scim", attributes...)
	return change
}

func appendMembers(attributes []slog.Attr, key string, ids []string) []slog.Attr {
	if len(ids) == 0 {
		return attributes
	}
	return append(attributes,
		slog.Any(key, ids[:min(len(ids), maxAuditedMembers)]), slog.Int(key+"Count", len(ids)))
}

// attempted is what a request that changed nothing was to change; nil for one that was not to change anything. A bulk
// request is one only if it was refused as a whole: otherwise its operations are.
func (q *request) attempted(status int) *store.Change {
	switch {
	case q.endpoint == nil || q.isRead():
		return nil
	case q.route.pattern == "Bulk" && q.Method == http.MethodPost && status >= http.StatusBadRequest:
		return &store.Change{}
	case q.endpoint.resourceType == nil || q.endpoint.actions[q.Method] == nil:
		return nil
	default:
		return store.Attempted(q.Method, q.endpoint.resourceType, q.route.id)
	}
}

// announce has events tell of a change.
func (q *request) announce(change *store.Change) {
	if change != nil {
		q.directory.Announce(change)
	}
}
