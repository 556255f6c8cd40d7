package provider

import "fmt"

// Refusal is an answer that an identity provider does not accept.
type Refusal struct {
	Provider string // its name
	Request  string // method and path
	Answer   string // what came
	Need     string // what the provider needs instead
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: the answer was %s; %s needs %s", r.Request, r.Answer, r.Provider, r.Need)
}
