package store

import (
	"errors"
	"testing"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

func TestGroupName(t *testing.T) {
	const accept, ignore, reject = v1alpha1.RenameAccept, v1alpha1.RenameIgnore, v1alpha1.RenameReject
	idp, app := v1alpha1.Origin(""), v1alpha1.OriginApp
	for _, c := range []struct {
		rename    v1alpha1.RenamePolicy
		origin    v1alpha1.Origin
		now, sent string
		want      string
		err       error
	}{
		{accept, idp, "Staff", "Crew", "Crew", nil},
		{accept, idp, "Staff", "STAFF", "STAFF", nil},
		{accept, app, "Staff", "Crew", "Crew", nil},
		{ignore, idp, "Staff", "Crew", "Staff", nil},
		{ignore, idp, "Staff", "STAFF", "Staff", nil},
		{ignore, app, "Staff", "Crew", "Staff", nil},
		{reject, idp, "Staff", "Staff", "Staff", nil},
		{reject, idp, "Staff", "STAFF", "Staff", nil},
		{reject, idp, "Straße", "STRASSE", "Straße", nil},
		{reject, idp, "Staff", "Crew", "", errRename},
		{reject, app, "Staff", "Crew", "", errRename},

		{accept, idp, "Staff", "everyone", "", errReserved},
		{ignore, idp, "Staff", "EVERYONE", "", errReserved},
		{reject, idp, "Staff", "Everyone", "", errReserved},
		{accept, idp, "Staff", "Ünited", "", errReserved},
		// What was called so before the name was reserved can still be written to, and called otherwise.
		{accept, idp, "Everyone", "Everyone", "Everyone", nil},
		{accept, idp, "Everyone", "Staff", "Staff", nil},
		// But what is reserved cannot be linked.
		{accept, app, "Everyone", "Everyone", "", errReserved},
	} {
		p := policyOf(&v1alpha1.ScimDirectory{Spec: v1alpha1.ScimDirectorySpec{Groups: v1alpha1.GroupsPolicy{
			Rename: c.rename, Reserved: []string{"Everyone", "üNITED"},
		}}})
		old := &v1alpha1.ScimGroup{}
		old.Spec.Origin, old.Spec.DisplayName = c.origin, c.now
		got, err := p.groupName(old, c.sent)
		if !errors.Is(err, c.err) || err == nil && got != c.want {
			t.Errorf("%s, origin %q: %q becomes %q: got %q, %v; want %q, %v", c.rename, c.origin, c.now, c.sent, got, err, c.want, c.err)
		}
	}
}
