// Package signin lets people in by an identity provider: any that speaks OpenID
// Connect, or GitHub; and lets command lines in by a browser that is signed in.
//
// What it guarantees:
//
//   - A sign-in is finished once, within ten minutes, by the browser that began
//     it, with what the provider signed for this server and this sign-in.
//   - A user is found by the provider's name for them (subject). An e-mail address
//     alone never opens an account: it finds only one that was made for this
//     provider, was never used, and whose address the provider stands for.
//   - A command line gets in with two secrets: its own, and the code that the
//     browser of who lets it in shows. Who sends somebody a link has one of them.
//   - Whom a provider does not know any more, or does not let in any more, is
//     signed out, where its claims are read anew. While it is away all stays.
//   - A refresh token is used by one replica at a time.
//   - Answers of providers are bounded in time and size, and none of their text
//     is shown.
//
// It does not decide what claims mean (internal/claims), and knows no cookies
// and pages (internal/httpapi).
package signin

// IdentityBound binds the sealed tokens of an identity to it.
func IdentityBound(provider, subject string) []byte {
	return []byte("berth identity " + provider + "\x00" + subject)
}

// AttemptBound binds what a sign-in that was begun keeps to it.
func AttemptBound(id string) []byte { return []byte("berth sign-in attempt " + id) }
