# A task of an AI agent, in its older form: accepted, and never enabled.

terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_task" "me" {}

data "coder_parameter" "prompt" {
  name    = "AI Prompt"
  type    = "string"
  default = ""
  mutable = true
}

resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}

resource "coder_app" "chat" {
  agent_id = coder_agent.main.id
  slug     = "chat"
  url      = "http://localhost:8080"
}

resource "coder_ai_task" "task" {
  sidebar_app {
    id = coder_app.chat.id
  }
}

resource "terraform_data" "seen" {
  input = {
    "app.id"          = coder_app.chat.id
    "ai_task.app_id"  = coder_ai_task.task.app_id
    "ai_task.id"      = coder_ai_task.task.id
    "ai_task.prompt"  = coder_ai_task.task.prompt
    "ai_task.enabled" = tostring(coder_ai_task.task.enabled)
    "task.id"         = data.coder_task.me.id
    "task.prompt"     = data.coder_task.me.prompt
    "task.enabled"    = tostring(data.coder_task.me.enabled)
    "agent.token"     = coder_agent.main.token
  }
}
