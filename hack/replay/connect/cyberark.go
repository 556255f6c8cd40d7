package connect

import (
	"context"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// cyberArk reads each resource type by its name, and each schema that it
// mentions by its URN.
func cyberArk(c *provider.Client) []provider.Act {
	read := func(name string) func(context.Context) error {
		return func(ctx context.Context) error { return readResourceType(ctx, c, name) }
	}
	return []provider.Act{once("read the type User", read("User")), once("read the type Group", read("Group"))}
}

func readResourceType(ctx context.Context, c *provider.Client, name string) error {
	a, definition, err := c.Read(ctx, "/ResourceTypes", name)
	if err != nil {
		return err
	}
	if err := a.Holds(provider.Resource{"name": name, "endpoint": "/" + name + "s"}, definition); err != nil {
		return err
	}
	mentioned := []any{definition["schema"]}
	extensions, _ := definition["schemaExtensions"].([]any)
	for _, extension := range extensions {
		mention, _ := extension.(map[string]any)
		mentioned = append(mentioned, mention["schema"])
	}
	for _, mention := range mentioned {
		urn, isString := mention.(string)
		if !isString || urn == "" {
			return a.Refuse("a resource type whose schema is "+provider.Text(mention), "a URN")
		}
		a, schema, err := c.Read(ctx, "/Schemas", urn)
		if err != nil {
			return err
		}
		if attributes, _ := schema["attributes"].([]any); len(attributes) == 0 {
			return a.Refuse("a schema whose attributes is "+provider.Text(schema["attributes"]), "an array of attributes")
		}
	}
	return nil
}
