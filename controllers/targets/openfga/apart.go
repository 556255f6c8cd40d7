package openfga

import (
	"errors"
	"slices"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

// rejections are the grants that OpenFGA rejects, each with its code.
type rejections []rejected

type rejected struct {
	grant targets.Grant
	*rejection
}

// apart carries changes out by one call, which OpenFGA does as a whole or rejects for any one of them: then by one call for
// each half, so that those that it rejects keep no others waiting. A call may return a rejection; any other error ends it.
func apart(grants []targets.Grant, call func([]targets.Grant) error) (done []targets.Grant, no rejections, err error) {
	if len(grants) == 0 {
		return nil, nil, nil
	}
	err = call(grants)
	r, is := errors.AsType[*rejection](err)
	switch {
	case err == nil:
		return grants, nil, nil
	case !is:
		return nil, nil, err
	case len(grants) == 1:
		return nil, rejections{{grants[0], r}}, nil
	}
	half := len(grants) / 2
	done, no, err = apart(grants[:half], call)
	if err != nil {
		return done, no, err
	}
	more, noMore, err := apart(grants[half:], call)
	return slices.Concat(done, more), slices.Concat(no, noMore), err
}

// split tells those that are there already from the rest.
func (r rejections) split() (rest rejections, there []targets.Grant) {
	for _, one := range r {
		if one.duplicate() {
			there = append(there, one.grant)
		} else {
			rest = append(rest, one)
		}
	}
	return rest, there
}

func (r rejections) grants() []targets.Grant {
	all := make([]targets.Grant, 0, len(r))
	for _, one := range r {
		all = append(all, one.grant)
	}
	return all
}

// asError is a Refused that speaks of the first.
func (r rejections) asError(doing string) error {
	switch len(r) {
	case 0:
		return nil
	case 1:
		return targets.Refuse("OpenFGA refuses to %s a tuple of %s: %s", doing, r[0].grant.Entitlement, r[0].code)
	default:
		return targets.Refuse("OpenFGA refuses to %s %d tuples, one of them of %s: %s", doing, len(r), r[0].grant.Entitlement, r[0].code)
	}
}
