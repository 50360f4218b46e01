// Package templates holds the use cases around templates: uploading archives,
// pushing versions, reading what their import found, choosing the active one.
//
// What it guarantees:
//
//   - An archive is stored in one normal form, whatever was uploaded: sorted,
//     without links, devices, absolute or climbing paths, times or owners. The
//     same files give the same hash. What does not fit the limits is refused
//     before it takes memory.
//   - Versions never change. A push makes a version and a build that imports it;
//     only a version whose import succeeded can become the active one.
//   - A template that has workspaces cannot be deleted.
//
// It does not run Terraform: the import is a build like others, taken by a
// runner, whose finding comes back through Kind.
package templates
