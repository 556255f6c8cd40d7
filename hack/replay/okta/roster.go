package okta

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// roster is who and what one app pushes. The same numbers always give the same
// names, so that a second run finds the people of the first.
type roster struct {
	people []Person
	groups []plannedGroup
}

// plannedGroup is a group before it has an id.
type plannedGroup struct {
	name      string
	renamedTo string // empty: it keeps its name
	members   []int  // places in the roster's people
}

// finalName is what the group is called when the demo is over.
func (g plannedGroup) finalName() string {
	if g.renamedTo != "" {
		return g.renamedTo
	}
	return g.name
}

var (
	departments = []string{"Engineering", "Support", "Finance", "Sales"}

	plannedGroups = []plannedGroup{
		{name: "Engineering"},
		{name: "Support"},
		{name: "Finance"},
		{name: "Everyone in Sales", renamedTo: "Sales"},
		{name: administrators},
	}

	titles = map[string][]string{
		"Engineering": {"Software Engineer", "Site Reliability Engineer", "Test Engineer"},
		"Support":     {"Support Engineer", "Customer Advocate"},
		"Finance":     {"Accountant", "Financial Analyst"},
		"Sales":       {"Account Executive", "Sales Engineer"},
	}

	givenNames = strings.Fields(`Amara Bruno Chiara Dilan Elif Farid Greta Henrik Imani Jonas Katya Liam
		Mireille Noor Oskar Priya Quentin Rosa Søren Tamsin Umar Valentina Wanjiru Ximena Yusuf Zoë`)
	familyNames = strings.Fields(`Almeida Bergström Castellano Dubois Eriksen Fontaine Goldsmith Hayashi Ivanova
		Jankowski Kimani Lindqvist Moreau Nakamura Okafor Petrova Quispe Rahman Schäfer Takahashi Ulrich Venter
		Whitlock Yamada Zieliński`)
)

// administrators is the one group that cuts across the departments.
const administrators = "Administrators"

// cast deals people and groups out to the apps in turn, so that no two apps
// push the same one.
func cast(people, groups, apps int) []roster {
	rosters := make([]roster, apps)
	for i := range people {
		r := &rosters[i%apps]
		r.people = append(r.people, person(i))
	}
	for i, g := range plannedGroups[:groups] {
		r := &rosters[i%apps]
		r.groups = append(r.groups, plannedGroup{name: g.name, renamedTo: g.renamedTo, members: belonging(g, r.people)})
	}
	return rosters
}

// belonging are the department's people, or the first two as administrators.
func belonging(g plannedGroup, people []Person) []int {
	var members []int
	for i, p := range people {
		if g.name == administrators && i < 2 || g.finalName() == p.Department {
			members = append(members, i)
		}
	}
	return members
}

// person is the i-th of the company. The lengths of the lists and the stride
// have no common divisor, so a pair of names comes again only after all pairs
// are used; a number tells those apart.
func person(i int) Person {
	const stride = 7
	given, family := givenNames[i%len(givenNames)], familyNames[i*stride%len(familyNames)]
	local := strings.ToLower(ascii.Replace(given + "." + family))
	if round := i / (len(givenNames) * len(familyNames)); round > 0 {
		local += fmt.Sprint(round + 1)
	}
	department := departments[i%len(departments)]
	inDepartment := titles[department]
	userName := local + "@example.com"
	return Person{
		GivenName:      given,
		FamilyName:     family,
		UserName:       userName,
		Title:          inDepartment[i/len(departments)%len(inDepartment)],
		Department:     department,
		EmployeeNumber: fmt.Sprint(1001 + i),
		ExternalID:     oktaID(userName),
	}
}

// promoted is the person with the next title.
func (p Person) promoted() Person {
	p.Title = "Senior " + p.Title
	return p
}

// oktaID looks like one of Okta's own ids: 00u and seventeen more characters.
func oktaID(userName string) string {
	sum := sha256.Sum256([]byte(userName))
	return "00u" + hex.EncodeToString(sum[:])[:17]
}

var ascii = strings.NewReplacer("ä", "a", "ë", "e", "ń", "n", "ö", "o", "ø", "o")

// outsider is the first person who is not among the members, -1 if all are.
func (r roster) outsider(members []int) int {
	for i := range r.people {
		if !slices.Contains(members, i) {
			return i
		}
	}
	return -1
}
