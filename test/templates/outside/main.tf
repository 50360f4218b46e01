# An agent on a computer that nobody makes here: somebody starts it by hand.

terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_workspace" "me" {}
data "coder_provisioner" "me" {}

resource "coder_agent" "bench" {
  os   = "linux"
  arch = data.coder_provisioner.me.arch
}

resource "coder_external_agent" "bench" {
  count    = data.coder_workspace.me.start_count
  agent_id = coder_agent.bench.id
}
