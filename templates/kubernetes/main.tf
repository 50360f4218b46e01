# A workspace as a pod of a Kubernetes cluster, with a home that outlives it. Any
# image with a shell will do.

terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = ">= 2.20"
    }
  }
}

# Variables are answered by whoever pushes the template (berth templates push
# kubernetes --variable namespace=…), parameters by whoever creates a workspace.
variable "namespace" {
  type        = string
  description = "Namespace of the workspaces; it must be there."
  default     = "workspaces"
}

variable "kubeconfig" {
  type        = string
  description = "Path, on the machine that runs builds, of the configuration for the cluster; empty: the service account of the pod that runs builds."
  default     = ""
}

variable "image" {
  type        = string
  description = "Image of the workspace; it must have a shell, and curl or wget."
  default     = "debian:12"
}

variable "pull_policy" {
  type        = string
  description = "Whether the image is pulled: IfNotPresent, Always or Never."
  default     = "IfNotPresent"
}

variable "storage_class" {
  type        = string
  description = "Storage class of homes; empty: the cluster's default. Homes that are there keep theirs."
  default     = ""
}

variable "home" {
  type        = string
  description = "Where the home is mounted; keep it as it is once there are workspaces."
  default     = "/home/berth"
}

variable "user" {
  type        = number
  description = "Number of the user that the pod runs as, whose group the home belongs to."
  default     = 1000
}

# Templates may not carry credentials: they are read by everybody who may pull
# them. They come from the machine that runs builds.
provider "kubernetes" {
  config_path = var.kubeconfig != "" ? var.kubeconfig : null
}

# What Berth tells every template: the workspace's id, and whether this build
# starts or stops it.
data "coder_provisioner" "me" {}
data "coder_workspace" "me" {}

data "coder_parameter" "cpu" {
  name         = "cpu"
  display_name = "Processors"
  description  = "How many processors the workspace may use at most."
  type         = "number"
  default      = "2"
  mutable      = true
  order        = 1
  validation {
    min = 1
    max = 16
  }
}

data "coder_parameter" "memory" {
  name         = "memory"
  display_name = "Memory"
  description  = "How much memory it may use at most, in GB."
  type         = "number"
  default      = "4"
  mutable      = true
  order        = 2
  validation {
    min = 1
    max = 64
  }
}

# Immutable: a claim cannot shrink, and few storage classes let one grow.
data "coder_parameter" "disk" {
  name         = "disk"
  display_name = "Size of the home"
  description  = "In GB. It stays as it is for the life of the workspace."
  type         = "number"
  default      = "10"
  order        = 3
  validation {
    min = 1
    max = 500
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
    (data.coder_parameter.cpu.name)    = "2"
    (data.coder_parameter.memory.name) = "4"
    (data.coder_parameter.disk.name)   = "10"
  }
}

data "coder_workspace_preset" "large" {
  name        = "Large"
  description = "For builds and large checkouts."
  parameters = {
    (data.coder_parameter.cpu.name)    = "8"
    (data.coder_parameter.memory.name) = "16"
    (data.coder_parameter.disk.name)   = "50"
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
  metadata {
    key          = "home"
    display_name = "Home"
    script       = "berth stat disk --path ${var.home}"
    interval     = 60
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

locals {
  # The workspace's id never changes, whoever it belongs to and whatever it is
  # called; names do, and nothing in Kubernetes can be renamed.
  name = "berth-${data.coder_workspace.me.id}"
  labels = {
    "app.kubernetes.io/name"       = "berth-workspace"
    "app.kubernetes.io/managed-by" = "berth"
    "berth.dev/workspace-id"       = data.coder_workspace.me.id
  }
}

# Persistent: there is no count, so a stop leaves it alone. ignore_changes keeps
# even a change of this template from replacing somebody's home.
resource "kubernetes_persistent_volume_claim_v1" "home" {
  metadata {
    name      = "${local.name}-home"
    namespace = var.namespace
    labels    = local.labels
  }
  # Many classes make the volume only when the first pod wants it.
  wait_until_bound = false
  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = var.storage_class != "" ? var.storage_class : null
    resources {
      requests = {
        storage = "${data.coder_parameter.disk.value}Gi"
      }
    }
  }
  lifecycle {
    ignore_changes = all
  }
}

# Ephemeral: start_count is 1 in a start and 0 in a stop. A stateful set and no
# deployment: its pod has one name, so the next one waits until the last one has
# ended, and there are never two at one home. And no bare pod, so that one that is
# gone comes back by itself. Nothing in it names the owner or the workspace: a
# claim would start another pod for that.
resource "kubernetes_stateful_set_v1" "workspace" {
  count = data.coder_workspace.me.start_count
  # The agent says when the workspace is there; nobody waits here.
  wait_for_rollout = false
  metadata {
    name      = local.name
    namespace = var.namespace
    labels    = local.labels
  }
  spec {
    replicas = 1
    # It wants the name of a service for its pods; nobody looks this one up.
    service_name = local.name
    # A pod that does not get ready must not keep its successor away.
    pod_management_policy = "Parallel"
    selector {
      match_labels = { "berth.dev/workspace-id" = data.coder_workspace.me.id }
    }
    template {
      metadata {
        labels = local.labels
      }
      spec {
        # The pod is the workspace's own: it may not speak to the cluster.
        automount_service_account_token  = false
        enable_service_links             = false
        termination_grace_period_seconds = 30
        security_context {
          run_as_user  = var.user
          run_as_group = var.user
          fs_group     = var.user
        }
        container {
          name              = "workspace"
          image             = var.image
          image_pull_policy = var.pull_policy
          working_dir       = var.home
          # The init script fetches the agent from the server and becomes it.
          command = ["sh", "-c", coder_agent.main.init_script]
          env {
            name  = "CODER_AGENT_TOKEN"
            value = coder_agent.main.token
          }
          env {
            name  = "HOME"
            value = var.home
          }
          resources {
            requests = {
              cpu    = "250m"
              memory = "512Mi"
            }
            limits = {
              cpu    = data.coder_parameter.cpu.value
              memory = "${data.coder_parameter.memory.value}Gi"
            }
          }
          volume_mount {
            name       = "home"
            mount_path = var.home
          }
        }
        volume {
          name = "home"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim_v1.home.metadata[0].name
          }
        }
      }
    }
  }
}

# What people see of the pod on the workspace's page. With quotas, daily_cost
# says here what a day of it costs.
resource "coder_metadata" "workspace" {
  count       = data.coder_workspace.me.start_count
  resource_id = kubernetes_stateful_set_v1.workspace[0].id
  item {
    key   = "image"
    value = var.image
  }
  item {
    key   = "limits"
    value = "${data.coder_parameter.cpu.value} processors, ${data.coder_parameter.memory.value} GB"
  }
}

resource "coder_metadata" "home" {
  resource_id = kubernetes_persistent_volume_claim_v1.home.id
  item {
    key   = "size"
    value = "${data.coder_parameter.disk.value} GB"
  }
}
