package okta

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

const listSchema = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

// page is a list answer that Okta can count with.
type page struct {
	total     int
	resources []Resource
}

// page reads the body as the page that startIndex and count asked for. Okta
// needs Resources to be an array even when it is empty, and counts that are
// numbers and exact, or an import ends early or never.
func (a answer) page(startIndex, count int) (page, error) {
	if err := a.want(http.StatusOK); err != nil {
		return page{}, err
	}
	list, err := a.object()
	if err != nil {
		return page{}, err
	}
	if schemas, _ := list["schemas"].([]any); !slices.Contains(schemas, any(listSchema)) {
		return page{}, a.refuse("a list with the schemas "+text(list["schemas"]), listSchema)
	}
	elements, isArray := list["Resources"].([]any)
	if !isArray {
		return page{}, a.refuse("a list whose Resources is "+text(list["Resources"]), "an array, even an empty one")
	}
	if len(elements) > count {
		return page{}, a.refuse(fmt.Sprintf("%d Resources", len(elements)), fmt.Sprintf("at most the %d it asked for", count))
	}

	number := map[string]int{}
	for _, name := range []string{"totalResults", "startIndex", "itemsPerPage"} {
		if number[name], err = a.integer(list, name); err != nil {
			return page{}, err
		}
	}
	total := number["totalResults"]
	switch {
	case number["startIndex"] != startIndex:
		return page{}, a.refuse(fmt.Sprintf("startIndex %d", number["startIndex"]), fmt.Sprintf("startIndex %d, as asked", startIndex))
	case number["itemsPerPage"] != len(elements):
		return page{}, a.refuse(fmt.Sprintf("itemsPerPage %d with %d Resources", number["itemsPerPage"], len(elements)),
			"the number of Resources on this page")
	case startIndex-1+len(elements) > total:
		return page{}, a.refuse(fmt.Sprintf("totalResults %d with %d Resources from startIndex %d", total, len(elements), startIndex),
			"the number of all that match")
	case len(elements) == 0 && startIndex <= total:
		return page{}, a.refuse(fmt.Sprintf("no Resources from startIndex %d of %d", startIndex, total), "the next page")
	}

	resources := make([]Resource, 0, len(elements))
	for _, element := range elements {
		r, isObject := element.(map[string]any)
		if !isObject {
			return page{}, a.refuse("a list with "+text(element)+" among its Resources", "objects")
		}
		if err := a.checkResource(r); err != nil {
			return page{}, err
		}
		resources = append(resources, r)
	}
	return page{total: total, resources: resources}, nil
}

func (a answer) integer(list Resource, name string) (int, error) {
	number, isNumber := list[name].(json.Number)
	if n, err := strconv.Atoi(number.String()); isNumber && err == nil && n >= 0 {
		return n, nil
	}
	return 0, a.refuse(fmt.Sprintf("a list whose %s is %s", name, text(list[name])), "a whole JSON number")
}
