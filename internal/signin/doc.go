// Package signin lets people in by an identity provider: any that speaks OpenID
// Connect, or GitHub; and lets command lines in by a browser that is signed in.
package signin

// IdentityBound binds the sealed tokens of an identity to it.
func IdentityBound(provider, subject string) []byte {
	return []byte("berth identity " + provider + "\x00" + subject)
}

// AttemptBound binds what a sign-in that was begun keeps to it.
func AttemptBound(id string) []byte { return []byte("berth sign-in attempt " + id) }
