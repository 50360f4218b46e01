# Tags that choose a workspace provider: texts, variables, local values and
# answers.

terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

variable "cluster" {
  type    = string
  default = "west"
}

variable "racks" {
  type    = number
  default = 2
}

locals {
  zone = lower(data.coder_parameter.zone.value)
  site = "${var.cluster}-${local.zone}"
}

data "coder_parameter" "zone" {
  name    = "Zone"
  default = "A"
  option {
    name  = "The first"
    value = "A"
  }
  option {
    name  = "The second"
    value = "B"
  }
}

data "coder_workspace_tags" "site" {
  tags = {
    "kind" = "lab"
    site   = local.site
  }
}

data "coder_workspace_tags" "racks" {
  tags = merge({ racks = tostring(var.racks) }, var.racks > 10 ? { big = "yes" } : {})
}

resource "terraform_data" "computer" {
}
