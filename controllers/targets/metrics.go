package targets

// fail counts changes that a step could not carry out, beside those that it could: they are tried again.
func (r *Report) fail(carried *int, changes int) {
	if carried == &r.Revoked {
		r.FailedRevocations += changes
	} else {
		r.FailedGrants += changes
	}
}
