package provider

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// ListSchema marks a list answer (RFC 7644 §3.4.2).
const ListSchema = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

// AnyCount is how many resources a page may hold that was asked for without a
// count.
const AnyCount = math.MaxInt

// Page is a list answer that a provider can count with.
type Page struct {
	Total     int
	Resources []Resource
}

// Page reads the body as the page that startIndex and count asked for. It needs
// Resources to be an array even when it is empty, and counts that are numbers
// and exact, or an import ends early or never.
func (a Answer) Page(startIndex, count int) (Page, error) {
	if err := a.Want(http.StatusOK); err != nil {
		return Page{}, err
	}
	list, err := a.Object()
	if err != nil {
		return Page{}, err
	}
	if schemas, _ := list["schemas"].([]any); !slices.Contains(schemas, any(ListSchema)) {
		return Page{}, a.Refuse("a list with the schemas "+Text(list["schemas"]), ListSchema)
	}
	elements, isArray := list["Resources"].([]any)
	if !isArray {
		return Page{}, a.Refuse("a list whose Resources is "+Text(list["Resources"]), "an array, even an empty one")
	}
	if len(elements) > count {
		return Page{}, a.Refuse(fmt.Sprintf("%d Resources", len(elements)), fmt.Sprintf("at most the %d it asked for", count))
	}

	number := map[string]int{}
	for _, name := range []string{"totalResults", "startIndex", "itemsPerPage"} {
		if number[name], err = a.integer(list, name); err != nil {
			return Page{}, err
		}
	}
	total := number["totalResults"]
	switch {
	case number["startIndex"] != startIndex:
		return Page{}, a.Refuse(fmt.Sprintf("startIndex %d", number["startIndex"]), fmt.Sprintf("startIndex %d, as asked", startIndex))
	case number["itemsPerPage"] != len(elements):
		return Page{}, a.Refuse(fmt.Sprintf("itemsPerPage %d with %d Resources", number["itemsPerPage"], len(elements)),
			"the number of Resources on this page")
	case startIndex-1+len(elements) > total:
		return Page{}, a.Refuse(fmt.Sprintf("totalResults %d with %d Resources from startIndex %d", total, len(elements), startIndex),
			"the number of all that match")
	case len(elements) == 0 && startIndex <= total:
		return Page{}, a.Refuse(fmt.Sprintf("no Resources from startIndex %d of %d", startIndex, total), "the next page")
	}

	resources := make([]Resource, 0, len(elements))
	for _, element := range elements {
		r, isObject := element.(map[string]any)
		if !isObject {
			return Page{}, a.Refuse("a list with "+Text(element)+" among its Resources", "objects")
		}
		if err := a.checkResource(r); err != nil {
			return Page{}, err
		}
		resources = append(resources, r)
	}
	return Page{Total: total, Resources: resources}, nil
}

func (a Answer) integer(list Resource, name string) (int, error) {
	number, isNumber := list[name].(json.Number)
	if n, err := strconv.Atoi(number.String()); isNumber && err == nil && n >= 0 {
		return n, nil
	}
	return 0, a.Refuse(fmt.Sprintf("a list whose %s is %s", name, Text(list[name])), "a whole JSON number")
}

// sole reads the body as a lookup's: the one resource whose attribute has the
// value, nil if there is none. Attributes that resources are looked up by are
// compared without case (RFC 7643 §4.1.1, §4.2), or hold no letters of two cases.
func (a Answer) sole(count int, attribute, value string) (Resource, error) {
	p, err := a.Page(1, count)
	if err != nil || p.Total == 0 {
		return nil, err
	}
	if p.Total > 1 {
		return nil, a.Refuse(fmt.Sprintf("%d resources", p.Total), "at most one")
	}
	found := p.Resources[0]
	if !slices.ContainsFunc(found.values(attribute), func(v string) bool { return strings.EqualFold(v, value) }) {
		return nil, a.Refuse("a resource whose "+attribute+" is "+Text(found.values(attribute)), "only what the filter selects")
	}
	return found, nil
}
