package scimserver

import "time"

// HaveLittlePatience makes a server cut off clients that take longer for the header, the request, or the answer.
func (s *Server) HaveLittlePatience(header, request, answer time.Duration) {
	s.patience = &patience{header: header, request: request, answer: answer, idle: usualPatience.idle}
}
