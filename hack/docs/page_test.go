package docs

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// page is one of the documentation.
type page struct {
	path    string // from the root of the repository
	anchors map[string]bool
	links   []mention
	spans   []mention // what is set as `code`
	blocks  []block
}

// mention is something said in a line of a page.
type mention struct {
	text string
	line int
}

// block is a block of code.
type block struct {
	language string
	words    []string // behind the language
	text     string
	line     int
	heading  string // the last one above it
}

// is says whether a word stands behind the block's language.
func (b block) is(word string) bool { return slices.Contains(b.words, word) }

// played says whether the block is a session whose commands are run.
func (b block) played() bool { return b.language == "console" && !b.is("elsewhere") }

// shown are the blocks of a chapter that are in a language.
func shown(path, heading, language string) []block {
	GinkgoHelper()
	i := slices.IndexFunc(pages, func(candidate page) bool { return candidate.path == path })
	Expect(i).To(BeNumerically(">=", 0), path)
	return slices.DeleteFunc(slices.Clone(pages[i].blocks), func(b block) bool { return b.heading != heading || b.language != language })
}

// readAll reads README.md, docs, and the other pages in the root.
func readAll(root string) []page {
	var pages []page
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		Expect(err).NotTo(HaveOccurred())
		for _, path := range paths {
			content, err := os.ReadFile(path)
			Expect(err).NotTo(HaveOccurred())
			path, err = filepath.Rel(root, path)
			Expect(err).NotTo(HaveOccurred())
			pages = append(pages, read(path, content))
		}
	}
	return pages
}

func read(path string, content []byte) page {
	p := page{path: path, anchors: map[string]bool{}}
	heading, line := "", 1
	document := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(content))
	_ = ast.Walk(document, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if node.Type() == ast.TypeBlock && node.Lines().Len() > 0 {
			line = 1 + bytes.Count(content[:node.Lines().At(0).Start], []byte("\n"))
		}
		switch n := node.(type) {
		case *ast.Heading:
			heading = plain(n, content)
			p.anchors[unused(p.anchors, anchor(heading))] = true
		case *ast.Link:
			p.links = append(p.links, mention{string(n.Destination), line})
		case *ast.Image:
			p.links = append(p.links, mention{string(n.Destination), line})
		case *ast.CodeSpan:
			p.spans = append(p.spans, mention{strings.ReplaceAll(plain(n, content), "\n", " "), line})
		case *ast.FencedCodeBlock:
			b := block{text: string(n.Lines().Value(content)), line: line, heading: heading}
			if n.Info != nil {
				words := strings.Fields(string(n.Info.Value(content)))
				b.language, b.words = words[0], words[1:]
			}
			p.blocks = append(p.blocks, b)
		case *ast.CodeBlock: // an indented one
			p.blocks = append(p.blocks, block{text: string(n.Lines().Value(content)), line: line, heading: heading})
		}
		return ast.WalkContinue, nil
	})
	return p
}

// plain is the text in a node.
func plain(node ast.Node, content []byte) string {
	var b strings.Builder
	_ = ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Value(content))
			if t.SoftLineBreak() {
				b.WriteByte('\n')
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// anchor is what GitHub makes of a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		default:
			return -1
		}
	}, heading)
}

func unused(taken map[string]bool, name string) string {
	for i, candidate := 1, name; ; i++ {
		if !taken[candidate] {
			return candidate
		}
		candidate = name + "-" + strconv.Itoa(i)
	}
}

// placeholder is what a reader has to fill in, such as <id>.
var placeholder = regexp.MustCompile(`<[a-z][a-zA-Z -]*>`)
