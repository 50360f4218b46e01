// Package plugin is the Terraform plugins that Berth brings along: coder/coder,
// wrapped so that agent tokens stay the same and secrets can be asked for, and berthdev/berth with
// berth_directory and berth_process.
//
// One binary serves both and decides by the name that it was started under.
// The coder plugin is the published one in all but these. Processes are
// only started where the server allows it (BERTH_HOST_PROCESSES). The package
// does not know how Terraform is run.
package plugin
