# What apps are when a template does not say.

terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}

resource "coder_app" "plain" {
  agent_id = coder_agent.main.id
  slug     = "plain"
  url      = "http://localhost:1"
}

resource "coder_app" "tab" {
  agent_id = coder_agent.main.id
  slug     = "tab"
  url      = "http://localhost:2"
  open_in  = "tab"
  share    = "public"
}

resource "coder_app" "shown" {
  agent_id = coder_agent.main.id
  slug     = "shown"
  url      = "http://localhost:3"
  hidden   = false
}

resource "coder_app" "hidden" {
  agent_id = coder_agent.main.id
  slug     = "hidden"
  url      = "http://localhost:4"
  hidden   = true
}

resource "terraform_data" "computer" {
  input = coder_agent.main.token
}
