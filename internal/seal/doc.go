// Package seal encrypts what must not be read from a copy of the database:
// Terraform states, workspace keys, template variables, people's secrets.
//
// Each sealed value is an envelope: a version byte, the id of its key, a random
// nonce and the AES-256-GCM ciphertext. The caller binds it to its place with
// additional data, such as the id of the workspace: moved to another row, it
// does not open.
//
// Keys live in a directory outside of the database, one file each, which the
// servers on one database share. Rotate adds a key that seals from then on; the
// old ones still open what they sealed. A value moves to the new key when its
// owner opens and seals it again. Another process's new key is found within a
// second, and when a value needs it.
//
// What it does not do: protect against who can read the key directory, hide the
// length of values, or notice an old envelope that is put back in its own place.
package seal
