# What templates see of the workspace, its template and the answers.

terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_provisioner" "me" {}
data "coder_workspace" "me" {}

data "coder_parameter" "flavor" {
  name        = "flavor"
  description = "What it tastes like."
  icon        = "/icon/ice.svg"
}

data "coder_workspace_preset" "lemon" {
  name        = "Lemon"
  description = "The sour one."
  icon        = "/icon/lemon.svg"
  default     = true
  parameters  = { (data.coder_parameter.flavor.name) = "lemon" }
  prebuilds {
    instances = 1
    expiration_policy {
      ttl = 7200
    }
    scheduling {
      timezone = "America/New_York"
      schedule {
        cron      = "* 9-17 * * 1-5"
        instances = 4
      }
      schedule {
        cron      = "* 9-12 * * 6"
        instances = 2
      }
    }
  }
}

locals {
  pool     = one(data.coder_workspace_preset.lemon.prebuilds)
  schedule = one(local.pool.scheduling)
}

resource "terraform_data" "seen" {
  input = {
    "provisioner.arch"           = data.coder_provisioner.me.arch
    "provisioner.id"             = data.coder_provisioner.me.id
    "provisioner.os"             = data.coder_provisioner.me.os
    "workspace.access_port"      = tostring(data.coder_workspace.me.access_port)
    "workspace.access_url"       = data.coder_workspace.me.access_url
    "workspace.id"               = data.coder_workspace.me.id
    "workspace.name"             = data.coder_workspace.me.name
    "workspace.start_count"      = tostring(data.coder_workspace.me.start_count)
    "workspace.prebuild_count"   = tostring(data.coder_workspace.me.prebuild_count)
    "workspace.is_prebuild"      = tostring(data.coder_workspace.me.is_prebuild)
    "workspace.is_claim"         = tostring(data.coder_workspace.me.is_prebuild_claim)
    "workspace.template_id"      = data.coder_workspace.me.template_id
    "workspace.template_name"    = data.coder_workspace.me.template_name
    "workspace.template_version" = data.coder_workspace.me.template_version
    "workspace.transition"       = data.coder_workspace.me.transition
    "parameter.name"             = data.coder_parameter.flavor.name
    "parameter.description"      = data.coder_parameter.flavor.description
    "parameter.icon"             = data.coder_parameter.flavor.icon
    "parameter.value"            = data.coder_parameter.flavor.value
    "parameter.optional"         = tostring(data.coder_parameter.flavor.optional)
    "preset.name"                = data.coder_workspace_preset.lemon.name
    "preset.default"             = tostring(data.coder_workspace_preset.lemon.default)
    "preset.flavor"              = data.coder_workspace_preset.lemon.parameters.flavor
    "preset.instances"           = tostring(local.pool.instances)
    "preset.ttl"                 = tostring(one(local.pool.expiration_policy).ttl)
    "preset.zone"                = local.schedule.timezone
    "preset.cron"                = local.schedule.schedule[0].cron
    "preset.scheduled"           = tostring(local.schedule.schedule[1].instances)
  }
}
