package okta

// App is the kind of Okta app that holds the provisioning settings. It decides
// how Okta writes; an administrator cannot change it afterwards.
type App string

const (
	// Catalogue is an app from Okta's catalogue ("SCIM 2.0 Test App" and its
	// siblings): PATCH to activate, deactivate and change groups, PUT for
	// every other change of a user.
	Catalogue App = "catalogue"
	// Wizard is an app made with the App Integration Wizard: PUT for every
	// change of users and groups.
	Wizard App = "wizard"
)
