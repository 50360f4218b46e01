// Package terraform runs terraform, or tofu, in a directory and reads what it
// plans and what it leaves behind.
//
// Guarantees:
//   - Run never applies a plan that was not judged: the file that terraform
//     applies is the one whose changes the judge has seen, or the journal lets
//     those changes through and no others.
//   - What was made while terraform or a plugin was killed is in the Result's
//     state, or named in its Lost and looked for by the next Run.
//   - Every good revision of the state is handed to the Sink while terraform
//     runs; the last one, from terraform.tfstate or errored.tfstate, is in the
//     Result, also when Run fails. Recover finds it after a crash.
//   - Terraform outlives our death: it goes on, and can save its state, without
//     anybody who reads what it prints. Whoever started us interrupts it, once:
//     a second interrupt makes it give its state up.
//   - Builds never run `terraform init` and need no network: Installer.Ensure
//     resolves plugins and modules once per archive into a read-only directory.
//   - Terraform and its plugins see a cleared environment, run in a process
//     group of their own, as another user where As says so, and are gone when
//     Run returns.
//
// The package knows no server: jobs, leases and uploads belong to
// internal/runner. It does not change plans or state, and it does not decide
// what a plan may do.
package terraform
