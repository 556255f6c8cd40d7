package cli

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pageSize bounds what is read, and held, at once.
const pageSize = 500

// pages reads a list of the namespace page by page. Each page is a new list: decoding into a used one would leave what the
// next page does not mention.
func pages[L any, P interface {
	*L
	client.ObjectList
}](ctx context.Context, c *cluster, visit func(P) error, options ...client.ListOption) error {
	for next := ""; ; {
		page := P(new(L))
		all := append([]client.ListOption{client.InNamespace(c.namespace), client.Limit(pageSize), client.Continue(next)}, options...)
		if err := c.List(ctx, page, all...); err != nil {
			if apierrors.IsResourceExpired(err) {
				return errors.New("the cluster has forgotten where the list was: begin again, and read it without a pause")
			}
			return err
		}
		if err := visit(page); err != nil {
			return err
		}
		if next = page.GetContinue(); next == "" {
			return nil
		}
	}
}

// find reads one object of the namespace; nil when there is none.
func find[T any, P interface {
	*T
	client.Object
}](ctx context.Context, c *cluster, name string) (P, error) {
	object := P(new(T))
	if err := c.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: name}, object); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return object, nil
}
