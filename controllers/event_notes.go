package controllers

import (
	"fmt"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
)

// maxNote is how many bytes the note of an Event may have. The API server refuses an Event with more, and then nobody sees it.
const maxNote = 1024

// fittingNotes records Events whose notes are cut to fit. What a system says when it refuses something can be longer.
type fittingNotes struct{ events.EventRecorder }

func (r fittingNotes) Eventf(regarding, related runtime.Object, kind, reason, action, note string, args ...any) {
	r.EventRecorder.Eventf(regarding, related, kind, reason, action, "%s", cutToFit(fmt.Sprintf(note, args...)))
}

func cutToFit(note string) string {
	if len(note) <= maxNote {
		return note
	}
	const more = "…"
	end := maxNote - len(more)
	for !utf8.RuneStart(note[end]) {
		end--
	}
	return note[:end] + more
}
