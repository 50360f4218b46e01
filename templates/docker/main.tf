# A workspace as a container with a persistent home volume. Any image with a
# shell will do.

terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    docker = {
      source  = "kreuzwerker/docker"
      version = ">= 3.0"
    }
  }
}

# Variables are answered by whoever pushes the template (berth templates push
# docker --variable image=…), parameters by whoever creates a workspace.
variable "image" {
  type        = string
  description = "Image of the workspace; it must have a shell, and curl or wget."
  default     = "debian:12"
}

variable "docker_host" {
  type        = string
  description = "Where the container engine listens; empty: the machine's own."
  default     = ""
}

variable "network_mode" {
  type        = string
  description = "bridge, host, or the name of a network."
  default     = "bridge"
}

variable "home" {
  type        = string
  description = "Where the home volume is mounted; keep it as it is once there are workspaces."
  default     = "/home/berth"
}

provider "docker" {
  host = var.docker_host != "" ? var.docker_host : null
}

# What Berth tells every template: the workspace's id, and whether this build
# starts or stops it.
data "coder_provisioner" "me" {}
data "coder_workspace" "me" {}

# Questions. A mutable one may be answered anew, for the next start.
data "coder_parameter" "memory" {
  name         = "memory"
  display_name = "Memory"
  description  = "How much memory the container may use, in MB."
  type         = "number"
  default      = "2048"
  mutable      = true
  order        = 1
  validation {
    min = 64
    max = 65536
  }
}

data "coder_parameter" "priority" {
  name         = "priority"
  display_name = "Share of the processors"
  description  = "What it gets of them when others want them too."
  default      = "1024"
  mutable      = true
  order        = 2
  option {
    name  = "Low"
    value = "256"
  }
  option {
    name  = "Normal"
    value = "1024"
  }
  option {
    name  = "High"
    value = "4096"
  }
}

# Presets answer several questions at once. With a block prebuilds, workspaces of
# one wait ready to be claimed:
#
#   prebuilds {
#     instances = 2
#   }
data "coder_workspace_preset" "small" {
  name        = "Small"
  description = "For reading and small changes."
  default     = true
  parameters = {
    (data.coder_parameter.memory.name)   = "2048"
    (data.coder_parameter.priority.name) = "1024"
  }
}

data "coder_workspace_preset" "large" {
  name        = "Large"
  description = "For builds and large checkouts."
  parameters = {
    (data.coder_parameter.memory.name)   = "8192"
    (data.coder_parameter.priority.name) = "4096"
  }
}

# The agent is what people reach. Everything that it runs begins in the home.
resource "coder_agent" "main" {
  os   = "linux"
  arch = data.coder_provisioner.me.arch
  dir  = var.home

  # Shown beside the workspace while somebody looks.
  metadata {
    key          = "cpu"
    display_name = "Processor"
    script       = "berth stat cpu"
    interval     = 10
    timeout      = 2
  }
  metadata {
    key          = "memory"
    display_name = "Memory"
    script       = "berth stat mem"
    interval     = 10
    timeout      = 2
  }
}

# A page of the workspace: whatever listens on this port in it. This one is for
# `npm run dev`, `python3 -m http.server 8000` and the like.
resource "coder_app" "site" {
  agent_id     = coder_agent.main.id
  slug         = "site"
  display_name = "Port 8000"
  url          = "http://localhost:8000"
  share        = "owner"
  subdomain    = true
}

# Persistent. Its name is the workspace's id, which never changes; ignore_changes
# keeps even a change of this template from replacing somebody's home.
resource "docker_volume" "home" {
  name = "berth-${data.coder_workspace.me.id}-home"
  labels {
    label = "berth.workspace_id"
    value = data.coder_workspace.me.id
  }
  lifecycle {
    ignore_changes = all
  }
}

# Ephemeral: a stop removes it. Nothing in it names the owner or the workspace,
# because a container's name, host name, labels and environment cannot be
# changed in place: a rename would replace it.
resource "docker_container" "workspace" {
  count        = data.coder_workspace.me.start_count
  name         = "berth-${data.coder_workspace.me.id}"
  image        = var.image
  hostname     = "workspace"
  network_mode = var.network_mode
  memory       = data.coder_parameter.memory.value
  memory_swap  = data.coder_parameter.memory.value * 2
  cpu_shares   = data.coder_parameter.priority.value
  init         = true
  working_dir  = var.home

  entrypoint = ["sh", "-c", coder_agent.main.init_script]
  env = [
    "CODER_AGENT_TOKEN=${coder_agent.main.token}",
    "HOME=${var.home}",
  ]

  # Lets a container on a bridge reach a server on this machine by name.
  dynamic "host" {
    for_each = var.network_mode == "host" ? [] : [1]
    content {
      host = "host.docker.internal"
      ip   = "host-gateway"
    }
  }

  volumes {
    container_path = var.home
    volume_name    = docker_volume.home.name
  }
  labels {
    label = "berth.workspace_id"
    value = data.coder_workspace.me.id
  }
  # Seconds for the agent's stop scripts.
  stop_timeout          = 30
  destroy_grace_seconds = 30
}

# What people see of it on the workspace's page. With quotas, daily_cost says here
# what a day of it costs.
resource "coder_metadata" "workspace" {
  count       = data.coder_workspace.me.start_count
  resource_id = docker_container.workspace[0].id
  item {
    key   = "image"
    value = var.image
  }
  item {
    key   = "memory"
    value = "${data.coder_parameter.memory.value} MB"
  }
}

resource "coder_metadata" "home" {
  resource_id = docker_volume.home.id
  item {
    key   = "mounted at"
    value = var.home
  }
}
