# What templates see of the workspace's owner.

terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_workspace_owner" "me" {}

resource "terraform_data" "seen" {
  input = {
    "owner.id"                = data.coder_workspace_owner.me.id
    "owner.name"              = data.coder_workspace_owner.me.name
    "owner.full_name"         = data.coder_workspace_owner.me.full_name
    "owner.email"             = data.coder_workspace_owner.me.email
    "owner.groups"            = jsonencode(data.coder_workspace_owner.me.groups)
    "owner.login_type"        = data.coder_workspace_owner.me.login_type
    "owner.rbac_roles"        = jsonencode(data.coder_workspace_owner.me.rbac_roles)
    "owner.ssh_public_key"    = data.coder_workspace_owner.me.ssh_public_key
    "owner.ssh_private_key"   = data.coder_workspace_owner.me.ssh_private_key
    "owner.session_token"     = data.coder_workspace_owner.me.session_token
    "owner.oidc_access_token" = data.coder_workspace_owner.me.oidc_access_token
  }
}
