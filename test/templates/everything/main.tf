# Every attribute of every resource and data source of the coder plugin, once,
# except for what excludes another (those are in the other directories).

terraform {
  required_providers {
    coder = {
      source  = "coder/coder"
      version = ">= 2.0"
    }
  }
}

provider "coder" {
}

variable "region" {
  type        = string
  description = "Where the machines are."
  default     = "eu"
}

variable "license" {
  type      = string
  sensitive = true
  default   = "abc-123"
}

data "coder_provisioner" "me" {}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
data "coder_task" "me" {}

data "coder_external_auth" "git" {
  id       = "git"
  optional = true
}

data "coder_parameter" "size" {
  name         = "size"
  display_name = "Size"
  description  = "How big the computer is."
  type         = "string"
  form_type    = "dropdown"
  icon         = "/icon/memory.svg"
  mutable      = true
  default      = "small"
  order        = 1
  styling      = jsonencode({ placeholder = "a size" })
  option {
    name        = "Small"
    description = "Enough for most."
    value       = "small"
    icon        = "/icon/small.svg"
  }
  option {
    name  = "Large"
    value = "large"
  }
}

data "coder_parameter" "disk" {
  name      = "disk"
  type      = "number"
  form_type = "slider"
  mutable   = true
  default   = "10"
  order     = 2
  validation {
    min       = 10
    max       = 100
    monotonic = "increasing"
    error     = "Between {min} and {max} GB, not {value}."
  }
}

data "coder_parameter" "branch" {
  name    = "branch"
  type    = "string"
  default = "main"
  order   = 3
  validation {
    regex = "^[a-z/-]+$"
    error = "Small letters, slashes and hyphens."
  }
}

data "coder_parameter" "wipe" {
  name      = "wipe"
  type      = "bool"
  form_type = "checkbox"
  mutable   = true
  ephemeral = true
  default   = "false"
  order     = 4
}

data "coder_parameter" "tools" {
  name      = "tools"
  type      = "list(string)"
  form_type = "multi-select"
  default   = jsonencode(["git"])
  order     = 5
  option {
    name  = "Git"
    value = "git"
  }
  option {
    name  = "Make"
    value = "make"
  }
}

data "coder_workspace_preset" "small" {
  name        = "Small"
  description = "What most take."
  icon        = "/icon/small.svg"
  default     = true
  parameters = {
    (data.coder_parameter.size.name) = "small"
  }
  prebuilds {
    instances = 1
    expiration_policy {
      ttl = 86400
    }
    scheduling {
      timezone = "Europe/Berlin"
      schedule {
        cron      = "* 8-18 * * 1-5"
        instances = 3
      }
      schedule {
        cron      = "* 8-14 * * 6"
        instances = 2
      }
    }
  }
}

data "coder_workspace_preset" "large" {
  name       = "Large"
  parameters = { size = "large", disk = "50" }
}

data "coder_workspace_tags" "where" {
  tags = {
    region = var.region
    size   = data.coder_parameter.size.value
  }
}

resource "coder_agent" "main" {
  os                      = "linux"
  arch                    = "amd64"
  auth                    = "token"
  api_key_scope           = "no_user_data"
  dir                     = "/home/dev/src"
  env                     = { FROM = "agent", OWN = "agent" }
  startup_script          = "echo up"
  startup_script_behavior = "blocking"
  shutdown_script         = "echo down"
  connection_timeout      = 60
  troubleshooting_url     = "https://help.example/agent"
  motd_file               = "/etc/motd"
  order                   = 2

  metadata {
    key          = "load"
    display_name = "Load"
    script       = "cat /proc/loadavg"
    interval     = 10
    timeout      = 2
    order        = 1
  }
  display_apps {
    vscode                 = false
    vscode_insiders        = true
    web_terminal           = true
    ssh_helper             = false
    port_forwarding_helper = false
  }
  resources_monitoring {
    memory {
      enabled   = true
      threshold = 80
    }
    volume {
      path      = "/home"
      enabled   = true
      threshold = 90
    }
    volume {
      path      = "/var"
      enabled   = false
      threshold = 50
    }
  }
}

resource "coder_agent_instance" "main" {
  agent_id    = coder_agent.main.id
  instance_id = terraform_data.disk.id
}

resource "coder_app" "editor" {
  agent_id     = coder_agent.main.id
  slug         = "editor"
  display_name = "Editor"
  icon         = "/icon/code.svg"
  url          = "http://localhost:8080"
  subdomain    = true
  share        = "authenticated"
  group        = "Tools"
  order        = 3
  hidden       = true
  open_in      = "tab"
  tooltip      = "Opens the *editor*."
  healthcheck {
    url       = "http://localhost:8080/healthz"
    interval  = 5
    threshold = 6
  }
}

resource "coder_app" "shell" {
  agent_id = coder_agent.main.id
  slug     = "shell"
  command  = "sh"
}

resource "coder_app" "docs" {
  agent_id = coder_agent.main.id
  slug     = "docs"
  external = true
  url      = "https://docs.example"
}

resource "coder_script" "setup" {
  agent_id           = coder_agent.main.id
  display_name       = "Setup"
  icon               = "/icon/gear.svg"
  script             = "echo setup"
  log_path           = "setup.log"
  run_on_start       = true
  run_on_stop        = true
  start_blocks_login = true
  timeout            = 30
}

resource "coder_script" "nightly" {
  agent_id     = coder_agent.main.id
  display_name = "Nightly"
  script       = "echo night"
  cron         = "0 30 3 * * *"
}

# In the order of their addresses: a, b, c. What the agent says itself stays.
resource "coder_env" "a" {
  agent_id = coder_agent.main.id
  name     = "PATHS"
  value    = "/a"
}

resource "coder_env" "b" {
  agent_id       = coder_agent.main.id
  name           = "PATHS"
  value          = "/b"
  merge_strategy = "append"
}

resource "coder_env" "c" {
  agent_id       = coder_agent.main.id
  name           = "PATHS"
  value          = "/c"
  merge_strategy = "prepend"
}

resource "coder_env" "alone" {
  agent_id       = coder_agent.main.id
  name           = "ALONE"
  value          = "1"
  merge_strategy = "error"
}

resource "coder_env" "late" {
  agent_id       = coder_agent.main.id
  name           = "ALSO"
  value          = "1"
  merge_strategy = "replace"
}

resource "coder_env" "overruled" {
  agent_id = coder_agent.main.id
  name     = "OWN"
  value    = "coder_env"
}

resource "coder_devcontainer" "web" {
  agent_id         = coder_agent.main.id
  workspace_folder = "/home/dev/src/web"
  config_path      = ".devcontainer/devcontainer.json"
}

resource "coder_ai_task" "task" {
  app_id = coder_app.editor.id
}

resource "terraform_data" "disk" {
}

resource "terraform_data" "computer" {
  count = data.coder_workspace.me.start_count
  input = {
    agent = coder_agent.main.id
    init  = coder_agent.main.init_script
    disk  = terraform_data.disk.id
    token = data.coder_external_auth.git.access_token
    user  = data.coder_workspace_owner.me.name
    arch  = data.coder_provisioner.me.arch
    task  = data.coder_task.me.enabled
    tools = data.coder_parameter.tools.value
    wipe  = data.coder_parameter.wipe.value
    from  = data.coder_parameter.branch.value
  }
}

resource "coder_metadata" "disk" {
  resource_id = terraform_data.disk.id
  icon        = "/icon/disk.svg"
  daily_cost  = 5
  item {
    key   = "size"
    value = "${data.coder_parameter.disk.value} GB"
  }
  item {
    key       = "license"
    value     = var.license
    sensitive = true
  }
  item {
    key = "nothing"
  }
}

resource "coder_metadata" "computer" {
  count       = data.coder_workspace.me.start_count
  resource_id = terraform_data.computer[0].id
  hide        = true
  daily_cost  = 20
  item {
    key   = "id"
    value = terraform_data.computer[0].id
  }
}
