package docs

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// player plays the commands of a chapter.
type player struct {
	dir string
	env []string
	// replace is what stands in the page for what is not the same everywhere, such as an address or an id, and what is there
	// instead now; in commands and in what they print. words are the same for what can be part of something else.
	replace map[string]string
	words   []word
	// instead are commands for which others run, or none, by their beginnings; after is what happens after a command.
	instead map[string]string
	after   map[string]func(context.Context)

	shell   *shell
	printed []string // by the last command
	took    []string
}

// word is what stands in the page as a word of its own, and what is there instead.
type word struct {
	stands *regexp.Regexp
	is     string
}

// scene is the playing of a chapter: of what is under one heading of a page.
type scene struct {
	path, heading string
	// alone makes a stage of its own, and returns who plays. Where it is nil the scene shares the stage on which the operator is
	// installed, keeps to namespaces of its own, and prepares what the chapter takes for granted.
	alone   func(context.Context) *player
	prepare func(context.Context, *stage, *player)
	// story names scenes that go on from each other.
	story string
	// within says that another scene plays it.
	within bool
}

var scenes []scene

// playsAlone has a spec play a chapter on a stage of its own.
func playsAlone(path, heading string, stage func(context.Context) *player) bool {
	scenes = append(scenes, scene{path: path, heading: heading, alone: stage})
	return true
}

// plays has a spec play a chapter on the stage that is shared, after the chapters before it.
func plays(path, heading string, prepare func(context.Context, *stage, *player)) bool {
	scenes = append(scenes, scene{path: path, heading: heading, prepare: prepare})
	return true
}

// playsInTurn has specs play chapters that go on from each other, on a stage of their own in which nothing is installed at first.
func playsInTurn(story string, chapters ...scene) bool {
	for _, c := range chapters {
		c.story = story
		scenes = append(scenes, c)
	}
	return true
}

// playsWithin says that the scene of another chapter plays this one, too, because it takes place in the midst of that.
func playsWithin(path, heading string) bool {
	scenes = append(scenes, scene{path: path, heading: heading, within: true})
	return true
}

var _ = Describe("What is shown of", func() {
	var stories []string
	for _, c := range scenes {
		switch {
		case c.alone != nil:
			It(c.path+" happens: "+c.heading, func(ctx context.Context) { c.alone(ctx).play(ctx, c.path, c.heading) })
		case c.story != "" && !slices.Contains(stories, c.story):
			stories = append(stories, c.story)
		}
	}
	for _, story := range stories {
		Describe(story, Ordered, func() { playAll(story, newStage) })
	}
	Describe("a cluster", Ordered, ContinueOnFailure, func() {
		playAll("", func(ctx context.Context) *stage {
			s := newStage(ctx)
			s.install(ctx, "--set=replicas=1") // that is what serves: a second Pod would show the same log once more
			return s
		})
	})
})

// playAll has specs play the scenes that share a stage.
func playAll(story string, begin func(context.Context) *stage) {
	var s *stage
	BeforeAll(func(ctx context.Context) { s = begin(ctx) })
	for _, c := range scenes {
		if c.prepare != nil && c.story == story {
			It("in "+c.path+" happens: "+c.heading, func(ctx context.Context) {
				p := s.player()
				c.prepare(ctx, s, p)
				p.play(ctx, c.path, c.heading)
			})
		}
	}
}

// reads are commands that change nothing, whose answer may take a while to be what is shown.
var reads = regexp.MustCompile(`^(\w+=\S+ )*(bin/k8s/)?kubectl (get|events|describe|logs|auth|scim (who-can|why|users|groups|group|directory|plan|audit)) `)

func (p *player) play(ctx context.Context, path, heading string) {
	GinkgoHelper()
	i := slices.IndexFunc(pages, func(candidate page) bool { return candidate.path == path })
	Expect(i).To(BeNumerically(">=", 0))
	begin, played := time.Now(), 0
	for _, b := range pages[i].blocks {
		if b.heading != heading || !b.played() {
			continue
		}
		steps, err := b.session()
		Expect(err).NotTo(HaveOccurred())
		for _, s := range steps {
			started := time.Now()
			p.step(ctx, b, s, fmt.Sprintf("%s:%d", path, s.line))
			p.took = append(p.took, fmt.Sprintf("%6.1f s  %s", time.Since(started).Seconds(), firstLine(s.command)))
			played++
		}
	}
	Expect(played).NotTo(BeZero())
	p.took = append(p.took, fmt.Sprintf("%6.1f s  in all", time.Since(begin).Seconds()))
	AddReportEntry(heading, strings.Join(p.took, "\n"))
}

func (p *player) step(ctx context.Context, b block, s step, where string) {
	GinkgoHelper()
	command, shown := p.replaced(s.command), strings.Split(p.replaced(strings.Join(s.shown, "\n")), "\n")
	for beginning, other := range p.instead {
		if strings.HasPrefix(s.command, beginning) {
			command = other
		}
	}
	if command == "" {
		return
	}
	if b.is("beside") {
		output := startBeside(p.dir, p.env, command)
		Eventually(func() error { return differs(shown, output.lines()) }).WithTimeout(2*time.Minute).Should(Succeed(), where)
		return
	}
	if p.shell == nil {
		p.shell = openShell(p.dir, p.env...)
	}
	again := 0 * time.Second
	if reads.MatchString(command) {
		again = 30 * time.Second
	}
	Eventually(func() error {
		var succeeded bool
		p.printed, succeeded = p.shell.run(command, s.answers()...)
		failed := !succeeded || fails(p.printed) // the last command of a pipe may succeed all the same
		if failed != fails(s.shown) {
			return fmt.Errorf("it fails: %t, but it should: %t\n%s", failed, !failed, strings.Join(p.printed, "\n"))
		}
		return differs(shown, p.printed)
	}).WithTimeout(again).Should(Succeed(), "%s: %s", where, command)
	for beginning, do := range p.after {
		if strings.HasPrefix(s.command, beginning) {
			do(ctx)
		}
	}
}

// replaced is a text of the page as it is here.
func (p *player) replaced(text string) string {
	for stands, is := range p.replace {
		text = strings.ReplaceAll(text, stands, is)
	}
	for _, w := range p.words {
		text = w.stands.ReplaceAllString(text, w.is)
	}
	return text
}

// environment is what every command has; the programs in path are found first.
func environment(path string, more ...string) []string {
	env := []string{"PATH=" + path + ":" + os.Getenv("PATH")}
	for _, name := range []string{"HOME", "GOCACHE", "GOFLAGS", "GOPROXY", "GOMODCACHE", "GOTOOLCHAIN"} {
		env = append(env, name+"="+os.Getenv(name))
	}
	return append(env, more...)
}
