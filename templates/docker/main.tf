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

data "coder_provisioner" "me" {}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}

data "coder_parameter" "memory" {
  name         = "memory"
  display_name = "Memory"
  description  = "How much memory the container may use, in MB."
  type         = "number"
  default      = "2048"
  mutable      = true
  validation {
    min = 64
    max = 65536
  }
}

resource "coder_agent" "main" {
  os   = "linux"
  arch = data.coder_provisioner.me.arch

  metadata {
    key          = "memory"
    display_name = "Memory in use"
    script       = "grep MemAvailable /proc/meminfo"
    interval     = 10
    timeout      = 1
  }
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
