package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// maxLogin bounds what is read of the form.
const maxLogin = 64 << 10

// loginForm is what the form shows.
type loginForm struct{ Complaint, Next string }

func (c *console) showLogin(w http.ResponseWriter, r *http.Request) {
	form := loginForm{Next: within(r.FormValue("next"))}
	switch token := c.seal.kept(r); {
	case r.FormValue("signed-in") == "":
	case token == "":
		form.Complaint = "Your browser did not keep the token. The console must be reached by HTTPS, or at http://localhost."
	default:
		http.Redirect(w, r, form.Next, http.StatusSeeOther)
		return
	}
	c.write(w, r, http.StatusOK, "login", document{Title: "Sign in", Body: form})
}

// login takes a token and has the browser keep it. The redirect to the form lets us see whether it did.
func (c *console) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxLogin)
	token := strings.TrimSpace(r.PostFormValue("token"))
	if word, rest, two := strings.Cut(token, " "); two && strings.EqualFold(word, "bearer") {
		token = strings.TrimSpace(rest)
	}
	form := loginForm{Next: within(r.PostFormValue("next"))}
	refuse := func(status int, complaint string) {
		form.Complaint = complaint
		c.write(w, r, status, "login", document{Title: "Sign in", Body: form})
	}
	p, err := c.person(r, token)
	switch {
	case errors.Is(err, errTooManyTries):
		w.Header().Set("Retry-After", "60")
		refuse(http.StatusTooManyRequests, sentence(err))
	case errors.Is(err, errNoToken), errors.Is(err, errRefused):
		c.Log.Info("sign-in refused", "client", c.Client(r))
		refuse(http.StatusForbidden, sentence(err))
	case err != nil:
		c.Log.Error("sign-in failed", "error", err)
		refuse(http.StatusServiceUnavailable, "Kubernetes could not be asked whose token it is. Try again.")
	case !c.seal.keep(w, r, token):
		refuse(http.StatusRequestEntityTooLarge, "The token is longer than a browser keeps. Use one of a ServiceAccount: kubectl create token.")
	default:
		c.Log.Info("signed in", "person", p.name, "client", c.Client(r))
		http.Redirect(w, r, "/login?"+url.Values{"signed-in": {"1"}, "next": {form.Next}}.Encode(), http.StatusSeeOther)
	}
}

func (c *console) logout(w http.ResponseWriter, r *http.Request) {
	forget(w, r)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// within is where to go after the sign-in: a path of the console, whatever the link said.
func within(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") ||
		strings.ContainsAny(next, "\\\r\n\t") || strings.HasPrefix(u.Path, "/login") {
		return "/"
	}
	return u.RequestURI()
}

// sentence is an error as a person reads it.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
