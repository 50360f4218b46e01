terraform {
  required_version = ">= 1.0"
  required_providers {
    coder = {
      source  = "coder/coder"
      version = ">= 2.5"
    }
  }
}
variable "agent_id" { type = string }
variable "dotfiles_uri" { type = string }
resource "coder_script" "dotfiles" {
  agent_id     = var.agent_id
  script       = templatefile("${path.module}/run.sh", { DOTFILES_URI : var.dotfiles_uri, DOTFILES_USER : "" })
  display_name = "Dotfiles"
  icon         = "/icon/dotfiles.svg"
  run_on_start = true
}
resource "coder_app" "dotfiles" {
  agent_id     = var.agent_id
  display_name = "Refresh Dotfiles"
  slug         = "dotfiles"
  icon         = "/icon/dotfiles.svg"
  command      = templatefile("${path.module}/run.sh", { DOTFILES_URI : var.dotfiles_uri, DOTFILES_USER : "" })
}
