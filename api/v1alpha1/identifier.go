package v1alpha1

// PrimaryEmail is the primary e-mail address, else the first; empty when there is none.
func (a *UserAttributes) PrimaryEmail() string {
	email := ""
	for i, e := range a.Emails {
		if i == 0 || e.Primary != nil && *e.Primary {
			email = e.Value
		}
	}
	return email
}

// Identify returns what identifies the user under a policy, as it was sent. Compare it without regard to case.
func (a *UserAttributes) Identify(by UserIdentifier) string {
	if by == IdentifierEmail {
		if email := a.PrimaryEmail(); email != "" {
			return email
		}
	}
	return a.UserName
}

// Identify returns what identifies the person under a policy, as it was sent. Compare it without regard to case.
func (m *MemberIdentity) Identify(by UserIdentifier) string {
	if by == IdentifierEmail && m.Email != "" {
		return m.Email
	}
	return m.UserName
}
