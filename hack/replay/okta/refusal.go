package okta

import "fmt"

// Refusal is an answer that Okta does not accept.
type Refusal struct {
	Request string // method and path
	Answer  string // what came
	Need    string // what Okta needs instead
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: the answer was %s; Okta needs %s", r.Request, r.Answer, r.Need)
}
