// Package argocd asks Argo CD's own code what its policies allow, with nothing installed.
package argocd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"

	"github.com/scim-operator/scim-operator/hack/controlplane/programs"
)

// Request is what somebody wants to do in Argo CD.
type Request struct {
	// Claims are those of the token, such as sub, email and groups. No claims are those of nobody.
	Claims map[string]any `json:"claims"`
	// Resource is a kind of object, such as applications.
	Resource string `json:"resource"`
	// Action is such as sync.
	Action string `json:"action"`
	// Object is the object's name, for most kinds behind a project's and a slash.
	Object string `json:"object"`
}

// Judge tells for each request whether Argo CD allows it, if data is that of the ConfigMap argocd-rbac-cm and there are
// no projects with roles of their own. It builds the program that decides if need be, from the module below root, which
// takes minutes. It returns an error when that fails, when Argo CD refuses the data, or when ctx ends.
func Judge(ctx context.Context, root string, data map[string]string, requests []Request) ([]bool, error) {
	source := programs.Source{Name: "argocd-rbac", Module: filepath.Join(root, "hack", "argocd", "source"), Package: "."}
	program, err := source.Program(ctx, root, io.Discard)
	if err != nil {
		return nil, err
	}
	question, err := json.Marshal(map[string]any{"data": data, "requests": requests})
	if err != nil {
		return nil, err
	}
	var output, complaints bytes.Buffer
	command := exec.CommandContext(ctx, program)
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(question), &output, &complaints
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %s", err, programs.LastLines(complaints.Bytes(), 10))
	}
	var answer struct {
		Allowed []bool `json:"allowed"`
	}
	if err := json.Unmarshal(output.Bytes(), &answer); err != nil {
		return nil, fmt.Errorf("read the answer of argocd-rbac: %w", err)
	}
	if len(answer.Allowed) != len(requests) {
		return nil, fmt.Errorf("argocd-rbac gives %d answers to %d requests", len(answer.Allowed), len(requests))
	}
	return answer.Allowed, nil
}
