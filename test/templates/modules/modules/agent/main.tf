terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

resource "coder_agent" "shared" {
  os   = "linux"
  arch = "amd64"
}

output "all" {
  value = { id = coder_agent.shared.id, token = coder_agent.shared.token }
}
