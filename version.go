package berth

// Release is the release that a binary was built from; the Makefile sets it.
// (A Version is something else: of a template.)
var Release = "dev"
