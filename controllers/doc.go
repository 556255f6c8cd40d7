// Package controllers turns what identity providers say (ScimUser, ScimGroup, ScimMemberSlice) into who has which role in
// the app (AppMembership), as ScimDirectory and AppRole ask for.
//
// Each controller is level-triggered: it looks at what is there, decides in a pure function, applies the difference, and
// writes one status. A second look at an unchanged world writes nothing.
package controllers
