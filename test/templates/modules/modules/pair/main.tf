terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

variable "agent" {
  type = object({ id = string, token = string })
}

variable "running" {
  type = number
}

locals {
  disk = terraform_data.disk.id
}

resource "terraform_data" "disk" {
}

resource "terraform_data" "computer" {
  count = var.running
  input = "${var.agent.token} ${local.disk}"
}

# It depends on the computer, so it is farther from the agent.
resource "terraform_data" "proxy" {
  count = var.running
  input = terraform_data.computer[0].id
}

resource "coder_metadata" "disk" {
  resource_id = local.disk
  icon        = "/icon/disk.svg"
}
