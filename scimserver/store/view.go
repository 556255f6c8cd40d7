package store

import "github.com/scim-operator/scim-operator/api/v1alpha1"

// view is a user as a page shows it, made once for all reads. What a page of hundreds costs is the way to each person's
// strings, which are all over the memory; here they are side by side.
type view struct {
	user User
	// text is the user as JSON, but for schemas, which many have in common, for its groups, which are others' state, and for its
	// location, which is the server's address: behind beforeGroups and behind beforeLocation bytes is where these go.
	text                         string
	beforeGroups, beforeLocation int
}

// viewOf returns nil for a user with a time that RFC 3339 cannot say.
func viewOf(obj *v1alpha1.ScimUser) *view {
	v := &view{user: userOf(obj)}
	e := encoder{more: true}
	e.userBeforeGroups(&v.user)
	v.beforeGroups = len(e.b)
	e.metaBeforeLocation(v.user.Meta)
	v.beforeLocation = len(e.b)
	e.metaBehindLocation(v.user.Meta)
	e.extensions(v.user.Extensions)
	e.close('}')
	if e.err != nil {
		return nil
	}
	v.text = string(e.b)
	v.user.view = v
	return v
}

// appendJSON appends the user with the groups and the location that it has been given.
func (v *view) appendJSON(b []byte, groups []GroupRef, location string) []byte {
	e := encoder{b: b}
	e.open('{')
	e.texts("schemas", v.user.Schemas)
	e.b = append(e.b, v.text[:v.beforeGroups]...)
	e.groups(groups)
	e.b = append(e.b, v.text[v.beforeGroups:v.beforeLocation]...)
	e.text("location", location)
	return append(e.b, v.text[v.beforeLocation:]...)
}
