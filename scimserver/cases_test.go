package scimserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// The cases of packages filter and patch hold over HTTP, too, with everything that lies between a request and an object.

type filterCases struct {
	Users []map[string]any `json:"users"`
	Cases []struct {
		ID          string   `json:"id"`
		Filter      string   `json:"filter"`
		Parse       string   `json:"parse"`
		Match       []string `json:"match"`
		Recommended []string `json:"recommended"`
	} `json:"cases"`
}

type patchCases struct {
	Cases []patchCase `json:"cases"`
}

type patchCase struct {
	ID           string         `json:"id"`
	Name         string         `json:"name"`
	ResourceType string         `json:"resourceType"`
	Before       map[string]any `json:"before"`
	Operations   []any          `json:"operations"`
	Expect       struct {
		ScimType string         `json:"scimType"`
		After    map[string]any `json:"after"`
	} `json:"expect"`
}

func readCases[T any](path string) T {
	text, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var cases T
	if err := decoder.Decode(&cases); err != nil {
		panic(err)
	}
	return cases
}

var _ = Describe("The filter cases", func() {
	file := readCases[filterCases]("filter/testdata/filter-cases.json")

	It("select the same users over HTTP", func(ctx SpecContext) {
		t := newTenant(ctx)
		ids, names := []string{}, map[string]string{} // ids in the file to those that the server gave, and back
		for _, user := range file.Users {
			name := user["id"].(string)
			a := t.call(http.MethodPost, "/Users", user)
			Expect(a.status).To(Equal(http.StatusCreated), a.String())
			ids = append(ids, `"`+name+`"`, `"`+a.id()+`"`)
			names[a.id()] = name
			t.modifiedAt(ctx, a.id(), aCenturyLater(user["meta"].(map[string]any)["lastModified"].(string)))
			for _, group := range references(user["groups"]) {
				t.addGroup(group, a.id())
			}
		}
		standIns := strings.NewReplacer(ids...)
		compared := 0
		for _, c := range file.Cases {
			if strings.Contains(c.Filter, "meta.created") {
				// The API server alone says when an object was created, so the file's times hold in package filter only.
				continue
			}
			text := c.Filter
			if strings.HasPrefix(text, "id ") { // a manager's id is what the client says, and stays
				text = standIns.Replace(text)
			}
			a := t.get("/Users?filter=" + url.QueryEscape(aCenturyLater(text)))
			if c.Parse != "ok" {
				Expect(a.status).To(Equal(http.StatusBadRequest), "%s %s", c.ID, a)
				Expect(a.scimType()).To(Equal(c.Parse), c.ID)
				continue
			}
			want := c.Match
			if want == nil { // the file leaves it open, and recommends
				want = c.Recommended
			}
			Expect(a.status).To(Equal(http.StatusOK), "%s %s", c.ID, a)
			matched := []string{}
			for _, u := range a.resources() {
				matched = append(matched, names[u["id"].(string)])
			}
			Expect(matched).To(ConsistOf(want), "%s %s", c.ID, text)
			compared++
		}
		Expect(compared).To(Equal(valid(file) - 1))
	})
})

// valid counts the filters that are to be accepted.
func valid(file filterCases) (n int) {
	for _, c := range file.Cases {
		if c.Parse == "ok" {
			n++
		}
	}
	return n
}

var year = regexp.MustCompile(`\b[12]\d{3}\b(?:-\d\d-\d\dT)`)

// aCenturyLater shifts every date in text, since nothing is modified before it is created.
func aCenturyLater(text string) string {
	return year.ReplaceAllStringFunc(text, func(date string) string {
		n, _ := strconv.Atoi(date[:4]) // four digits
		return strconv.Itoa(n+100) + date[4:]
	})
}

// modifiedAt sets when a user was last modified, and returns when the server shows it.
func (t *tenant) modifiedAt(ctx context.Context, id, at string) {
	GinkgoHelper()
	user := &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: id}}
	annotation := `{"metadata":{"annotations":{"` + v1alpha1.LastModifiedAnnotation + `":"` + at + `"}}}`
	Expect(cluster.Patch(ctx, user, client.RawPatch(types.MergePatchType, []byte(annotation)))).To(Succeed())
	Eventually(func() string { return t.get("/Users/" + id).text }).WithTimeout(10 * time.Second).
		Should(ContainSubstring(`"lastModified":"` + at[:len("2125-01-01T00:00:00")]))
}

// references are the names that a user's groups show.
func references(groups any) (names []string) {
	list, _ := groups.([]any)
	for _, group := range list {
		names = append(names, group.(map[string]any)["display"].(string))
	}
	return names
}

var _ = Describe("The PATCH cases", func() {
	for _, c := range readCases[patchCases]("patch/testdata/patch-cases.json").Cases {
		It(c.ID+" "+c.Name+" gives the same over HTTP", func(ctx SpecContext) {
			t := newTenant(ctx)
			// Members and groups of the file are made first, so that their ids exist.
			ids := strings.NewReplacer(t.standIns(c)...)
			created := t.call(http.MethodPost, "/"+c.ResourceType+"s", ids.Replace(encode(c.Before)))
			Expect(created.status).To(Equal(http.StatusCreated), created.String())
			own := strings.NewReplacer(`"`+c.Before["id"].(string)+`"`, `"`+created.id()+`"`)
			path := "/" + c.ResourceType + "s/" + created.id()

			a := t.call(http.MethodPatch, path, ids.Replace(own.Replace(encode(map[string]any{"Operations": c.Operations}))))
			if c.Expect.ScimType != "" {
				Expect(a.status).To(Equal(http.StatusBadRequest), a.String())
				Expect(a.scimType()).To(Equal(c.Expect.ScimType), a.String())
				Expect(t.get(path).text).To(Equal(created.text))
				return
			}
			Expect(a.status).To(Or(Equal(http.StatusOK), Equal(http.StatusNoContent)), a.String())
			var want map[string]any
			decoder := json.NewDecoder(strings.NewReader(ids.Replace(own.Replace(encode(c.Expect.After)))))
			decoder.UseNumber()
			Expect(decoder.Decode(&want)).To(Succeed())
			Expect(withoutDecided(t.get(path).body)).To(Equal(withoutDecided(want)))
		})
	}
})

func encode(value any) string {
	GinkgoHelper()
	text, err := json.Marshal(value)
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

// standIns makes a user for each member that the case names, and returns what to replace in its JSON.
func (t *tenant) standIns(c patchCase) []string {
	GinkgoHelper()
	if c.ResourceType != "Group" {
		return nil
	}
	var replacements []string
	text := encode(c.Before) + encode(c.Operations)
	for _, id := range []string{"u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"} {
		if strings.Contains(text, id) {
			made := t.addUser(id)
			replacements = append(replacements, `"`+id+`"`, `"`+made+`"`, `\"`+id+`\"`, `\"`+made+`\"`)
		}
	}
	return replacements
}

// withoutDecided leaves out what the server decides, and the order and the names of members.
func withoutDecided(resource map[string]any) map[string]any {
	kept := maps.Clone(resource)
	for _, decided := range []string{"id", "meta", "groups", "schemas"} {
		delete(kept, decided)
	}
	if _, said := kept["active"]; !said && kept["userName"] != nil {
		kept["active"] = true
	}
	if members, ok := kept["members"].([]any); ok {
		ids := []string{}
		for _, m := range members {
			ids = append(ids, m.(map[string]any)["value"].(string))
		}
		slices.Sort(ids)
		kept["members"] = ids
	}
	return kept
}
