package filter

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

const spaces = " \t\r\n"

// skipSpace moves to the next token.
func (p *parser) skipSpace() {
	for p.pos < len(p.text) && strings.IndexByte(spaces, p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// accept consumes c if it comes next, after any space.
func (p *parser) accept(c byte) bool {
	p.skipSpace()
	if !p.next(c) {
		return false
	}
	p.pos++
	return true
}

// next reports whether c comes immediately.
func (p *parser) next(c byte) bool {
	return p.pos < len(p.text) && p.text[p.pos] == c
}

// word consumes a name, operator or bare value: what stands between spaces, brackets and quotes. It may be empty.
func (p *parser) word() string {
	p.skipSpace()
	rest := p.text[p.pos:]
	if end := strings.IndexAny(rest, spaces+`()[]"`); end >= 0 {
		rest = rest[:end]
	}
	p.pos += len(rest)
	return rest
}

// keyword consumes the word if it comes next, in any case.
func (p *parser) keyword(word string) bool {
	before := p.pos
	if strings.EqualFold(p.word(), word) {
		return true
	}
	p.pos = before
	return false
}

// quoted consumes a JSON string, of which the opening quote comes next.
func (p *parser) quoted() (string, error) {
	start := p.pos
	for end := start + 1; end < len(p.text); end++ {
		switch p.text[end] {
		case '\\':
			end++
		case '"':
			var s string
			if json.Unmarshal([]byte(p.text[start:end+1]), &s) != nil {
				return "", p.errorAt(start, "this is not a JSON string")
			}
			p.pos = end + 1
			return s, nil
		}
	}
	return "", p.errorAt(start, "a string lacks its closing quote")
}

// character counts from 1, as a person would.
func (p *parser) character(pos int) int {
	return utf8.RuneCountInString(p.text[:pos]) + 1
}
