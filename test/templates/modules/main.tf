# References that go through modules: variables, outputs, count and for_each.

terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_workspace" "me" {}

module "agent" {
  source = "./modules/agent"
}

module "pair" {
  source   = "./modules/pair"
  for_each = toset(["blue", "green"])
  agent    = module.agent.all
  running  = data.coder_workspace.me.start_count
}
