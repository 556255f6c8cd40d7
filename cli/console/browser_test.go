package console_test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
)

// audit is what is asked of every page; it returns complaints.
//
//go:embed testdata/audit.js
var audit string

// chromium finds the browser, or says what to do to have one.
func chromium() (string, error) {
	root, err := controlplane.Root()
	if err != nil {
		return "", err
	}
	path, err := exec.Command(filepath.Join(root, "hack", "browser.sh"), "find").Output()
	if without, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", errors.New(string(without.Stderr))
	}
	return strings.TrimSpace(string(path)), err
}

// tab is a page of a real browser in which scripts are off, and what went wrong in it.
type tab struct {
	context.Context
	mutex      sync.Mutex
	complaints []string
}

func open() *tab {
	GinkgoHelper()
	path, err := chromium()
	if err != nil {
		if os.Getenv("REQUIRE_BROWSER") != "" {
			Fail(err.Error())
		}
		Skip(err.Error())
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	DeferCleanup(end)
	ctx, cancel := chromedp.NewContext(allocator)
	DeferCleanup(func() {
		_ = chromedp.Cancel(ctx) // returns when the browser has ended
		cancel()
	})
	t := &tab{Context: ctx}
	Expect(chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			t.complain(fmt.Sprintf("%s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		case *runtime.EventConsoleAPICalled:
			t.complain(fmt.Sprintf("console.%s", e.Type))
		case *runtime.EventExceptionThrown:
			t.complain(e.ExceptionDetails.Text)
		}
	})).To(Succeed())
	command(t, log.Enable, cdp.Empty{})
	command(t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return t
}

func (t *tab) complain(text string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.complaints = append(t.complaints, text)
}

// do takes steps one after another.
func (t *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(t.Context, time.Minute)
	defer cancel()
	Expect(chromedp.Do(ctx, steps...)).To(Succeed())
}

// result is what one step results in.
func result[T any](t *tab, step chromedp.Action[T]) T {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(t.Context, time.Minute)
	defer cancel()
	got, err := chromedp.Run(ctx, step)
	Expect(err).NotTo(HaveOccurred())
	return got
}

// command has the browser do what no person could.
func command[P, R any](t *tab, c cdp.Command[P, R], parameters P) {
	GinkgoHelper()
	_, err := chromedp.Call(t.Context, c, parameters)
	Expect(err).NotTo(HaveOccurred())
}

// visit goes to a page of the console.
func (t *tab) visit(path string) {
	GinkgoHelper()
	t.do(chromedp.Navigate("http://" + address + path))
}

// look emulates a screen and a taste.
func (t *tab) look(width int64, scheme string) {
	GinkgoHelper()
	command(t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: 800, DeviceScaleFactor: 1, Mobile: width < 600,
	})
	command(t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// value is what an expression is in the page. The browser evaluates it for us even where the page itself may run nothing.
func value[T any](t *tab, expression string) T {
	GinkgoHelper()
	return result(t, chromedp.Evaluate[T](expression))
}

// signIn signs in as a person does: with the keyboard.
func (t *tab) signIn(token string) {
	GinkgoHelper()
	t.visit("/")
	t.do(chromedp.SendKeys(chromedp.ID("token"), token+kb.Enter), chromedp.WaitVisible("table"))
}

// photograph keeps a picture of the page for those who look at it.
func (t *tab) photograph(name string) {
	GinkgoHelper()
	root, err := controlplane.Root()
	Expect(err).NotTo(HaveOccurred())
	picture := result(t, chromedp.FullScreenshot(100))
	folder := filepath.Join(root, "bin", "console")
	Expect(os.MkdirAll(folder, 0o755)).To(Succeed())
	Expect(os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600)).To(Succeed())
}

var _ = Describe("In a browser without scripts", func() {
	It("every page can be read, by everybody, on any screen, in the light and in the dark", func(ctx context.Context) {
		t := open()
		acme := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "acme"}} // the pictures are for the documentation, too
		c := furnish(ctx, foundIn(ctx, acme, func(d *v1alpha1.ScimDirectory) {
			d.Spec.Safeguard = &v1alpha1.Safeguard{Minimum: new(int32(1)), Percent: new(int32(1))}
		}))
		token := c.editor(ctx)
		c.group("Everybody", c.ada, c.grace, c.leaver)
		b := signIn(token)
		c.push("DELETE", "/Groups/"+c.engineering, nil)
		Eventually(func() page { return b.get(c.path("/held")) }).Should(has(200, "2 people would lose something", "grace@example.com"))

		t.visit("/namespaces/" + c.namespace)
		pages := []struct{ name, path string }{
			{"login", "/login"}, {"home", "/"}, {"namespace", "/namespaces/" + c.namespace}, {"directory", c.path("")},
			{"held", c.path("/held")}, {"setup", c.path("/setup")}, {"people", c.path("/people")}, {"person", c.path("/people/" + c.grace)},
			{"groups", c.path("/groups")}, {"group", c.path("/groups/" + c.admins)}, {"roles", "/namespaces/" + c.namespace + "/roles"},
			{"role", "/namespaces/" + c.namespace + "/roles/developer"}, {"targets", "/namespaces/" + c.namespace + "/targets"},
		}
		t.signIn(token)
		titles := map[string]string{}
		for _, page := range pages {
			t.look(1200, "light")
			t.visit(page.path)
			title := value[string](t, "document.title")
			Expect(titles).NotTo(HaveKey(title), "each page has a title of its own")
			titles[title] = page.name
			for _, screen := range []struct {
				name   string
				width  int64
				scheme string
			}{{"light", 1200, "light"}, {"dark", 1200, "dark"}, {"narrow", 400, "light"}, {"narrow-dark", 400, "dark"}} {
				t.look(screen.width, screen.scheme)
				Expect(value[[]string](t, audit)).To(BeEmpty(), "%s, %s", page.name, screen.name)
				if screen.name != "narrow-dark" {
					t.photograph(page.name + "-" + screen.name)
				}
			}
		}
		Expect(titles).To(HaveLen(len(pages)))
		Expect(t.complaints).To(BeEmpty())
	})

	It("signs in, finds somebody, and signs out by the keyboard alone", func(ctx context.Context) {
		t := open()
		c := furnished(ctx)
		t.signIn(c.editor(ctx))
		t.visit(c.path("/people"))

		focused := func() string {
			return value[string](t, `document.activeElement.textContent.trim() || document.activeElement.name || document.activeElement.tagName`)
		}
		seen := func() bool {
			return value[bool](t, `(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
				return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 && r.top >= 0 && r.left >= 0 })()`)
		}
		var order []string
		for range 15 {
			t.do(chromedp.KeyEvent(kb.Tab))
			order = append(order, focused())
			Expect(seen()).To(BeTrue(), "where the focus is can be seen: %v", order)
		}
		Expect(order[:12]).To(Equal([]string{
			"Skip to the content", "scim-operator", "Sign out", "All directories", c.namespace, "okta",
			"Overview", "People", "Groups", "Held changes", "Set up", "q",
		}))

		t.visit(c.path("/people"))
		t.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
		Eventually(func() string { return value[string](t, "document.activeElement.id") }).Should(Equal("content"))
		t.do(chromedp.KeyEvent(kb.Tab))
		Expect(focused()).To(Equal("q"), "the skip link skips")

		t.do(chromedp.KeyEvent("grace"), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(`//p[contains(., "1 person found")]`))
		t.do(chromedp.Click(`//a[contains(., "grace@example.com")]`), chromedp.WaitVisible(`//h1[contains(., "Grace Hopper")]`))
		t.do(chromedp.Focus(`header button`), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(chromedp.ID("token")))
		t.visit("/")
		Expect(value[string](t, "location.pathname")).To(Equal("/login"))
		Expect(t.complaints).To(BeEmpty())
	})

	It("says what is wrong with a token beside the field", func() {
		t := open()
		t.visit("/login")
		t.do(chromedp.SendKeys(chromedp.ID("token"), "not a token"+kb.Enter), chromedp.WaitVisible(chromedp.ID("complaint")))
		Expect(value[[]string](t, audit)).To(BeEmpty())
		t.photograph("refused-light")
	})
})
