// Package journal stands between terraform and its plugins: it writes down each
// change before and after it is made, and holds all of them back until the plan
// is judged.
//
// Guarantees:
//   - Nothing passes that could change something before Release, and then only the
//     changes that Release was given. When whoever opened it dies before, nothing
//     ever does.
//   - A change is on the disk before the plugin hears of it, and what came of it
//     before terraform does. It is not cut when terraform is.
//
// It speaks Terraform's plugin protocol and knows no server, no builds and no
// state: internal/terraform puts what the journal kept back into one.
package journal
