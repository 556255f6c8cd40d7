package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/scim-operator/scim-operator/hack/openfga"
)

// organization is the object that people have their roles in.
const organization = "organization:acme"

// model has a relation for each role of config/samples/demo.yaml, and what those who have them may do.
//
//go:embed model.json
var model []byte

// permissions are the relations that an application asks for.
var permissions = []string{"can_sign_in", "can_deploy", "can_see_invoices", "can_answer_tickets", "can_change_settings"}

// store is one store of an OpenFGA server.
type store struct {
	server *openfga.Server
	id     string
}

func newStore(ctx context.Context, server *openfga.Server) (*store, error) {
	id, err := server.CreateStore(ctx, "acme")
	if err != nil {
		return nil, err
	}
	_, err = server.WriteModel(ctx, id, model)
	return &store{server, id}, err
}

func (s *store) allows(ctx context.Context, person, permission string) (bool, error) {
	return s.server.Check(ctx, s.id, "user:"+person, permission, organization)
}

// print asks OpenFGA about each person and each permission.
func (s *store) print(ctx context.Context, people []string) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, p := range permissions {
		fmt.Fprint(w, "\t", p)
	}
	fmt.Fprintln(w)
	for _, person := range people {
		fmt.Fprint(w, person)
		for _, p := range permissions {
			allowed, err := s.allows(ctx, person, p)
			if err != nil {
				return err
			}
			fmt.Fprint(w, "\t", map[bool]string{true: "yes", false: "-"}[allowed])
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
