package view

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// PageSize bounds what is read, and held, at once.
const PageSize = 500

// Pages reads a list of the namespace page by page. Each page is a new list: decoding into a used one would leave what the
// next page does not mention.
func Pages[L any, P interface {
	*L
	client.ObjectList
}](ctx context.Context, r *Reader, visit func(P) error, options ...client.ListOption) error {
	for next := ""; ; {
		page := P(new(L))
		all := append([]client.ListOption{client.InNamespace(r.Namespace), client.Limit(PageSize), client.Continue(next)}, options...)
		if err := r.List(ctx, page, all...); err != nil {
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

// Find reads one object of the namespace; nil when there is none.
func Find[T any, P interface {
	*T
	client.Object
}](ctx context.Context, r *Reader, name string) (P, error) {
	object := P(new(T))
	if err := r.Get(ctx, client.ObjectKey{Namespace: r.Namespace, Name: name}, object); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return object, nil
}
