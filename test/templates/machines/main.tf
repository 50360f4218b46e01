# Agents that prove by their machine who they are. In a cloud the id comes from
# the machine by itself; elsewhere coder_agent_instance says it.

terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_workspace" "me" {}

resource "coder_agent" "aws" {
  os   = "linux"
  arch = "amd64"
  auth = "aws-instance-identity"
}

resource "coder_agent" "google" {
  os   = "linux"
  arch = "amd64"
  auth = "google-instance-identity"
}

resource "coder_agent" "azure" {
  os   = "linux"
  arch = "amd64"
  auth = "azure-instance-identity"
}

resource "terraform_data" "machine" {
  for_each = toset(["aws", "google", "azure"])
  input    = "i-${each.key}"
}

resource "coder_agent_instance" "aws" {
  agent_id    = coder_agent.aws.id
  instance_id = terraform_data.machine["aws"].output
}

resource "coder_agent_instance" "google" {
  agent_id    = coder_agent.google.id
  instance_id = terraform_data.machine["google"].output
}

resource "coder_agent_instance" "azure" {
  agent_id    = coder_agent.azure.id
  instance_id = terraform_data.machine["azure"].output
}

resource "terraform_data" "boot" {
  count = data.coder_workspace.me.start_count
  input = [coder_agent.aws.init_script, coder_agent.google.init_script, coder_agent.azure.init_script]
}
