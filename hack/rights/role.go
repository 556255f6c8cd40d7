package main

import (
	"fmt"
	"os"
	"path/filepath"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// impersonate is the verb for acting as somebody else.
const impersonate = "impersonate"

// right is one verb on one kind of object.
type right struct {
	verb, group, resource string // the resource with its subresource
}

func (r right) String() string {
	if r.group == "" {
		return r.verb + " " + r.resource
	}
	return r.verb + " " + r.resource + "." + r.group
}

// role is one that the operator has.
type role struct {
	name   string
	rights []right
}

// own are the files of the roles that the operator has; the other roles beside them are for people.
var own = []string{"server_role.yaml", "controllers_role.yaml", "impersonator_role.yaml", "leader_election_role.yaml"}

// readRoles reads the operator's roles in a folder.
func readRoles(folder string) ([]role, error) {
	var roles []role
	for _, name := range own {
		path := filepath.Join(folder, name)
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var object rbacv1.ClusterRole // a Role has the same fields
		if err := yaml.UnmarshalStrict(content, &object); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		roles = append(roles, role{object.Name, rightsOf(object.Rules)})
	}
	return roles, nil
}

func rightsOf(rules []rbacv1.PolicyRule) []right {
	var rights []right
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					rights = append(rights, right{verb, group, resource})
				}
			}
		}
	}
	return rights
}
