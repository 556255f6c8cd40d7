package store

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// plainUser and plainGroup have no methods, so that encoding/json writes them as the structs they are.
type (
	plainUser  User
	plainGroup Group
)

// draw fills every exported field with something or nothing, so that a field that is added to a type is in the test.
func draw(t *rapid.T, v reflect.Value) {
	switch at := v.Addr().Interface().(type) {
	case *time.Time:
		*at = time.Unix(rapid.Int64Range(0, 1<<37).Draw(t, "seconds"), rapid.Int64Range(0, 999).Draw(t, "ms")*1e6).UTC()
		return
	case *map[string]json.RawMessage:
		return // what is in them is compared by what it says: see TestExtensionsAreWrittenBehindTheAttributes
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringMatching(`[a-zé<>&"\\ \n\x{2028}]{1,8}`)).Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "flag"))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "there") {
			v.Set(reflect.New(v.Type().Elem()))
			draw(t, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), rapid.IntRange(0, 3).Draw(t, "length"), 3))
		for i := range v.Len() {
			draw(t, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				draw(t, v.Field(i))
			}
		}
	default:
		t.Fatalf("%s cannot be drawn", v.Type())
	}
}

func drawn[R any](t *rapid.T) *R {
	resource := new(R)
	draw(t, reflect.ValueOf(resource).Elem())
	return resource
}

func TestResourcesAreWrittenAsByEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, g := drawn[User](t), drawn[Group](t)
		for _, c := range []struct {
			resource Resource
			plain    any
		}{{u, (*plainUser)(u)}, {g, (*plainGroup)(g)}} {
			got, err := c.resource.AppendJSON([]byte("before:"))
			if err != nil {
				t.Fatal(err)
			}
			want, err := json.Marshal(c.plain)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != "before:"+string(want) {
				t.Fatalf("wrote\n%s\nencoding/json writes\n%s", got, want)
			}
		}
	})
}

// What a page shows of a user is what is shown of the user alone.
func TestViewIsTheUser(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		other, meta := drawn[User](t), drawn[Meta](t)
		groups, location := other.Groups, meta.Location
		obj := &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{
			Name: other.ID, CreationTimestamp: metav1.NewTime(meta.Created), Generation: rapid.Int64().Draw(t, "generation"), UID: types.UID(meta.Version),
		}}
		obj.Spec.UserAttributes, obj.Spec.Enterprise = *drawn[v1alpha1.UserAttributes](t), other.Enterprise
		for _, urn := range rapid.SliceOfDistinct(rapid.String(), rapid.ID).Draw(t, "extensions") {
			obj.Spec.Extensions = map[string]v1alpha1.Extension{urn: {RawExtension: runtime.RawExtension{Raw: []byte(`{"cost":1}`)}}}
		}
		viewed := new(viewOf(obj).user)
		viewed.Meta = new(*viewed.Meta)
		alone := userOf(obj)
		for _, u := range []*User{viewed, &alone} {
			u.Groups, u.Meta.Location = groups, location
		}
		got, err := viewed.AppendJSON([]byte("before:"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := alone.AppendJSON([]byte("before:"))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Fatalf("the page shows\n%s\nthe user is\n%s", got, want)
		}
	})
}

func TestTreeSaysWhatTheJSONSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, resource := range []Resource{drawn[User](t), drawn[Group](t)} {
			got, err := Tree(resource)
			if err != nil {
				t.Fatal(err)
			}
			if want := reread(t, resource); !reflect.DeepEqual(got, want) {
				t.Fatalf("the tree is\n%#v\nthe JSON says\n%#v", got, want)
			}
		}
	})
}

// reread is a resource as it is read by who gets its JSON.
func reread(t rapid.TB, resource Resource) (tree map[string]any) {
	raw, err := resource.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return tree
}

func TestResourcesAreReadFromTheirTrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, g := drawn[User](t), drawn[Group](t)
		user, err := UserFromTree(reread(t, u))
		if err != nil {
			t.Fatal(err)
		}
		if u.UserAttributes != nil && !equality.Semantic.DeepEqual(user.UserAttributes, valid(t, u).UserAttributes) ||
			!equality.Semantic.DeepEqual(user.Enterprise, valid(t, u).Enterprise) {
			t.Fatalf("%#v became %#v", u, user)
		}
		group, err := GroupFromTree(reread(t, g))
		if err != nil {
			t.Fatal(err)
		}
		if want := valid(t, g); group.DisplayName != want.DisplayName || group.ExternalID != want.ExternalID ||
			!equality.Semantic.DeepEqual(group.Members, want.Members) {
			t.Fatalf("%#v became %#v", g, group)
		}
	})
}

// valid is a resource after encoding/json has written and read it, which replaces what is no UTF-8.
func valid[R any](t *rapid.T, resource *R) *R {
	raw, err := json.Marshal(resource)
	if err != nil {
		t.Fatal(err)
	}
	back := new(R)
	if err := json.Unmarshal(raw, back); err != nil {
		t.Fatal(err)
	}
	return back
}

func TestExtensionsAreWrittenBehindTheAttributes(t *testing.T) {
	u := &User{Schemas: coreUser, ID: "1", Extensions: map[string]json.RawMessage{
		"urn:example:b:2.0:User": json.RawMessage(`{"n":12345678901234567890}`),
		"urn:example:a:2.0:User": json.RawMessage(`{"x":"<y>"}`),
	}}
	const want = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1",` +
		`"urn:example:a:2.0:User":{"x":"<y>"},"urn:example:b:2.0:User":{"n":12345678901234567890}}`
	if got, err := u.AppendJSON(nil); err != nil || string(got) != want {
		t.Errorf("wrote %s, %v", got, err)
	}
	tree, err := Tree(u)
	if err != nil || !reflect.DeepEqual(tree, reread(t, u)) {
		t.Errorf("the tree is %#v, %v", tree, err)
	}
	back, err := UserFromTree(tree)
	if err != nil || string(back.Extensions["urn:example:b:2.0:User"]) != `{"n":12345678901234567890}` {
		t.Errorf("the extensions became %s, %v", back.Extensions, err)
	}
	if back.Enterprise != nil || tree[schema.EnterpriseUserURN] != nil {
		t.Error("there is an enterprise extension that nobody has sent")
	}
}
