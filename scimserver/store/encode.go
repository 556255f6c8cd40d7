package store

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// Resource is a *User or a *Group.
type Resource interface {
	json.Marshaler
	// AppendJSON appends the resource to b as encoding/json would write its fields, extensions behind them. It returns an
	// error for a time that RFC 3339 cannot say.
	AppendJSON(b []byte) ([]byte, error)
	// tree is the same as a JSON tree.
	tree() (map[string]any, error)
}

// MarshalJSON returns what AppendJSON appends.
func (u *User) MarshalJSON() ([]byte, error) { return u.AppendJSON(nil) }

// MarshalJSON returns what AppendJSON appends.
func (g *Group) MarshalJSON() ([]byte, error) { return g.AppendJSON(nil) }

// AppendJSON appends the user to b. It returns an error for a time that RFC 3339 cannot say.
func (u *User) AppendJSON(b []byte) ([]byte, error) {
	if u.view != nil {
		return u.view.appendJSON(b, u.Groups, u.Meta.Location), nil
	}
	e := encoder{b: b}
	e.open('{')
	e.texts("schemas", u.Schemas)
	e.userBeforeGroups(u)
	e.groups(u.Groups)
	e.meta(u.Meta)
	e.extensions(u.Extensions)
	e.close('}')
	return e.b, e.err
}

// AppendJSON appends the group to b. It returns an error for a time that RFC 3339 cannot say.
func (g *Group) AppendJSON(b []byte) ([]byte, error) {
	e := encoder{b: b}
	e.open('{')
	e.texts("schemas", g.Schemas)
	e.always("id", g.ID)
	e.text("externalId", g.ExternalID)
	e.always("displayName", g.DisplayName)
	if len(g.Members) > 0 {
		e.name("members")
		e.open('[')
		for i := range g.Members {
			m := &g.Members[i]
			e.element()
			e.open('{')
			e.always("value", m.Value)
			e.text("$ref", m.Ref)
			e.text("type", m.Type)
			e.text("display", m.Display)
			e.close('}')
		}
		e.close(']')
	}
	e.meta(g.Meta)
	e.extensions(g.Extensions)
	e.close('}')
	return e.b, e.err
}

// encoder appends JSON to b. A page has hundreds of resources, and encoding/json takes several times as long for them: it
// reads every Marshaler's answer once more. What is written is the same, byte by byte; a test compares the two.
type encoder struct {
	b   []byte
	err error
	// more says that something stands before in the object or array.
	more bool
}

func (e *encoder) open(bracket byte) {
	e.b = append(e.b, bracket)
	e.more = false
}

func (e *encoder) close(bracket byte) {
	e.b = append(e.b, bracket)
	e.more = true
}

// element begins an element of an array.
func (e *encoder) element() {
	if e.more {
		e.b = append(e.b, ',')
	}
	e.more = true
}

// name begins a member of an object. The name needs no escape.
func (e *encoder) name(name string) {
	e.element()
	e.b = append(e.b, '"')
	e.b = append(e.b, name...)
	e.b = append(e.b, '"', ':')
}

func (e *encoder) always(name, value string) {
	e.name(name)
	e.b = appendString(e.b, value)
}

// text writes a value that is left out where it is empty.
func (e *encoder) text(name, value string) {
	if value != "" {
		e.always(name, value)
	}
}

func (e *encoder) texts(name string, values []string) {
	e.name(name)
	e.open('[')
	for _, v := range values {
		e.element()
		e.b = appendString(e.b, v)
	}
	e.close(']')
}

func (e *encoder) flag(name string, value *bool) {
	if value != nil {
		e.name(name)
		e.b = strconv.AppendBool(e.b, *value)
	}
}

func (e *encoder) time(name string, at time.Time) {
	e.name(name)
	e.b = append(e.b, '"')
	var err error
	if e.b, err = at.AppendText(e.b); err != nil {
		e.err = err
	}
	e.b = append(e.b, '"')
}

// userBeforeGroups writes what is between schemas and groups.
func (e *encoder) userBeforeGroups(u *User) {
	e.always("id", u.ID)
	if u.UserAttributes != nil {
		e.attributes(u.UserAttributes)
	}
	if u.Enterprise != nil {
		e.enterprise(u.Enterprise)
	}
}

func (e *encoder) attributes(a *v1alpha1.UserAttributes) {
	e.text("externalId", a.ExternalID)
	e.always("userName", a.UserName)
	e.flag("active", &a.Active)
	if n := a.Name; n != nil {
		e.name("name")
		e.open('{')
		e.text("formatted", n.Formatted)
		e.text("familyName", n.FamilyName)
		e.text("givenName", n.GivenName)
		e.text("middleName", n.MiddleName)
		e.text("honorificPrefix", n.HonorificPrefix)
		e.text("honorificSuffix", n.HonorificSuffix)
		e.close('}')
	}
	e.text("displayName", a.DisplayName)
	e.text("nickName", a.NickName)
	e.text("profileUrl", a.ProfileURL)
	e.text("title", a.Title)
	e.text("userType", a.UserType)
	e.text("preferredLanguage", a.PreferredLanguage)
	e.text("locale", a.Locale)
	e.text("timezone", a.Timezone)
	e.values("emails", a.Emails)
	e.values("phoneNumbers", a.PhoneNumbers)
	e.values("ims", a.IMs)
	e.values("photos", a.Photos)
	e.addresses(a.Addresses)
	e.values("entitlements", a.Entitlements)
	e.values("roles", a.Roles)
	e.certificates(a.X509Certificates)
}

func (e *encoder) values(name string, values []v1alpha1.MultiValue) {
	if len(values) == 0 {
		return
	}
	e.name(name)
	e.open('[')
	for i := range values {
		v := &values[i]
		e.value(v.Value, v.Display, v.Type, v.Primary)
	}
	e.close(']')
}

func (e *encoder) certificates(certificates []v1alpha1.Certificate) {
	if len(certificates) == 0 {
		return
	}
	e.name("x509Certificates")
	e.open('[')
	for i := range certificates {
		c := &certificates[i]
		e.value(c.Value, c.Display, c.Type, c.Primary)
	}
	e.close(']')
}

// value writes one value of a multi-valued attribute (RFC 7643 §2.4).
func (e *encoder) value(value, display, kind string, primary *bool) {
	e.element()
	e.open('{')
	e.text("value", value)
	e.text("display", display)
	e.text("type", kind)
	e.flag("primary", primary)
	e.close('}')
}

func (e *encoder) addresses(addresses []v1alpha1.Address) {
	if len(addresses) == 0 {
		return
	}
	e.name("addresses")
	e.open('[')
	for i := range addresses {
		a := &addresses[i]
		e.element()
		e.open('{')
		e.text("formatted", a.Formatted)
		e.text("streetAddress", a.StreetAddress)
		e.text("locality", a.Locality)
		e.text("region", a.Region)
		e.text("postalCode", a.PostalCode)
		e.text("country", a.Country)
		e.text("type", a.Type)
		e.flag("primary", a.Primary)
		e.close('}')
	}
	e.close(']')
}

func (e *encoder) enterprise(u *v1alpha1.EnterpriseUser) {
	e.name("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")
	e.open('{')
	e.text("employeeNumber", u.EmployeeNumber)
	e.text("costCenter", u.CostCenter)
	e.text("organization", u.Organization)
	e.text("division", u.Division)
	e.text("department", u.Department)
	if u.Manager != nil {
		e.name("manager")
		e.open('{')
		e.text("value", u.Manager.Value)
		e.close('}')
	}
	e.close('}')
}

func (e *encoder) groups(groups []GroupRef) {
	if len(groups) == 0 {
		return
	}
	e.name("groups")
	e.open('[')
	for i := range groups {
		g := &groups[i]
		e.element()
		e.open('{')
		e.always("value", g.Value)
		e.text("$ref", g.Ref)
		e.text("display", g.Display)
		e.text("type", g.Type)
		e.close('}')
	}
	e.close(']')
}

func (e *encoder) meta(m *Meta) {
	if m == nil {
		return
	}
	e.metaBeforeLocation(m)
	e.text("location", m.Location)
	e.metaBehindLocation(m)
}

func (e *encoder) metaBeforeLocation(m *Meta) {
	e.name("meta")
	e.open('{')
	e.always("resourceType", m.ResourceType)
	e.time("created", m.Created)
	e.time("lastModified", m.LastModified)
}

func (e *encoder) metaBehindLocation(m *Meta) {
	e.text("version", m.Version)
	e.close('}')
}

func (e *encoder) extensions(extensions map[string]json.RawMessage) {
	if len(extensions) == 0 {
		return
	}
	for _, urn := range slices.Sorted(maps.Keys(extensions)) {
		e.element()
		e.b = appendString(e.b, urn)
		e.b = append(e.b, ':')
		e.b = append(e.b, extensions[urn]...)
	}
}

// appendString appends a string as encoding/json writes it. It leaves to it those with what is rarely escaped.
func appendString(b []byte, s string) []byte {
	whole := len(b)
	b = append(b, '"')
	done := 0 // of s has been appended
	for i := 0; i < len(s); {
		size := 1
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, s[done:i]...)
			b = append(b, '\\')
			done = i
		case c < ' ' || c == '<' || c == '>' || c == '&':
			return appendEscaped(b[:whole], s)
		case c >= utf8.RuneSelf:
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
				return appendEscaped(b[:whole], s)
			}
		}
		i += size
	}
	b = append(b, s[done:]...)
	return append(b, '"')
}

func appendEscaped(b []byte, s string) []byte {
	escaped, _ := json.Marshal(s) // any string can be written
	return append(b, escaped...)
}
