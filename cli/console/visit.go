package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/scim-operator/scim-operator/cli/view"
)

// errNotFound is also the answer for what somebody may not see: whether it exists is not for them to know.
var errNotFound = errors.New("there is no such page, or your token may not see it")

// forbidden is a part of what a page shows that the person may not see.
type forbidden struct{ what, right string }

func (e *forbidden) Error() string {
	return fmt.Sprintf("your token may not list %s here: that takes the right to get and list %s", e.what, e.right)
}

// visit is one request of somebody who has signed in.
type visit struct {
	*view.Reader
	person  *person
	request *http.Request
	answer  http.ResponseWriter
	console *console
	// frame is what stands around the page, once it is known where that belongs.
	frame document
}

func (v *visit) path(name string) string { return v.request.PathValue(name) }

// show writes a page in the frame of the visit.
func (v *visit) show(name, title string, body any) error {
	v.frame.Title, v.frame.Body = title, body
	v.console.write(v.answer, v.request, http.StatusOK, name, v.frame)
	return nil
}

// page shows a page to those who have signed in, and the others the form.
func (c *console) page(show func(context.Context, *visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
		defer cancel()
		r = r.WithContext(ctx)
		token := c.seal.kept(r)
		if token == "" {
			c.signIn(w, r)
			return
		}
		p, err := c.person(r, token)
		if err != nil {
			c.fail(w, r, document{}, err)
			return
		}
		v := &visit{Reader: &view.Reader{Client: p, Namespace: r.PathValue("namespace")}, person: p, request: r, answer: w, console: c}
		v.frame.Person = p.name
		if err := show(ctx, v); err != nil {
			c.fail(w, r, v.frame, err)
		}
	})
}

func (c *console) signIn(w http.ResponseWriter, r *http.Request) {
	to := "/login"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// fail says in the frame why there is no page.
func (c *console) fail(w http.ResponseWriter, r *http.Request, d document, err error) {
	var hidden *forbidden
	status, title, text := http.StatusServiceUnavailable, "Not at the moment", "Kubernetes did not answer as it should. Try again."
	switch {
	case errors.Is(err, errNoToken), errors.Is(err, errRefused), apierrors.IsUnauthorized(err):
		forget(w, r)
		c.write(w, r, http.StatusUnauthorized, "login", document{Title: "Sign in", Body: loginForm{
			Complaint: "Your token has expired, or was withdrawn. Sign in with another one.", Next: within(r.URL.RequestURI()),
		}})
		return
	case errors.Is(err, errTooManyTries):
		w.Header().Set("Retry-After", "60")
		status, title, text = http.StatusTooManyRequests, "Wait a minute", sentence(err)
	case errors.As(err, &hidden):
		status, title, text = http.StatusForbidden, "Not for this token", sentence(err)
	case errors.Is(err, errNotFound), apierrors.IsNotFound(err), apierrors.IsForbidden(err):
		status, title, text = http.StatusNotFound, "Not found", sentence(errNotFound)
	case apierrors.IsResourceExpired(err):
		status, title, text = http.StatusGone, "Begin again", "The cluster has forgotten where the list was. Begin it again."
	default:
		c.Log.Error("a page failed", "path", r.URL.Path, "error", err)
	}
	d.Title, d.Body = title, text
	c.write(w, r, status, "failure", d)
}
