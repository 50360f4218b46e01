package berth

// Version is the release that a binary was built from; the Makefile sets it.
var Version = "dev"
