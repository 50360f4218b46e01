# Written the way the public templates and modules are, to see that what they
# call is there and does what it does elsewhere. The modules' scripts stand in
# this file, but for dotfiles, which is one.

terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    docker = {
      source = "kreuzwerker/docker"
    }
  }
}

locals {
  username = data.coder_workspace_owner.me.name
}

variable "docker_socket" {
  default     = ""
  description = "(Optional) Docker socket URI"
  type        = string
}

variable "image" {
  type = string
}

provider "docker" {
  host = var.docker_socket != "" ? var.docker_socket : null
}

data "coder_provisioner" "me" {}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
data "coder_task" "me" {}

data "coder_parameter" "dotfiles_uri" {
  type         = "string"
  name         = "dotfiles_uri"
  display_name = "Dotfiles URL"
  default      = ""
  description  = "Enter a URL for a [dotfiles repository](https://dotfiles.github.io) to personalize your workspace."
  mutable      = true
  icon         = "/icon/dotfiles.svg"
  validation {
    regex = "^$|^(https?://|ssh://|git@|git://)[a-zA-Z0-9._/:@~-]+$"
    error = "Must be a valid dotfiles repository URL (https, git@, or git://) without special characters."
  }
}
data "coder_parameter" "repo" {
  type    = "string"
  name    = "repo"
  default = ""
  mutable = true
}

resource "coder_agent" "main" {
  arch           = data.coder_provisioner.me.arch
  os             = "linux"
  startup_script = <<-EOT
    set -e

    # Prepare user home with default files on first start.
    if [ ! -f ~/.init_done ]; then
      cp -rT /etc/skel ~
      touch ~/.init_done
    fi
  EOT
  env = {
    GIT_AUTHOR_NAME     = coalesce(data.coder_workspace_owner.me.full_name, data.coder_workspace_owner.me.name)
    GIT_AUTHOR_EMAIL    = "${data.coder_workspace_owner.me.email}"
    GIT_COMMITTER_NAME  = coalesce(data.coder_workspace_owner.me.full_name, data.coder_workspace_owner.me.name)
    GIT_COMMITTER_EMAIL = "${data.coder_workspace_owner.me.email}"
  }
  metadata {
    display_name = "CPU Usage"
    key          = "0_cpu_usage"
    script       = "coder stat cpu"
    interval     = 10
    timeout      = 1
  }
  metadata {
    display_name = "RAM Usage"
    key          = "1_ram_usage"
    script       = "coder stat mem"
    interval     = 10
    timeout      = 1
  }
  metadata {
    display_name = "Home Disk"
    key          = "3_home_disk"
    script       = "coder stat disk --path $${HOME}"
    interval     = 60
    timeout      = 1
  }
  metadata {
    display_name = "CPU Usage (Host)"
    key          = "4_cpu_usage_host"
    script       = "coder stat cpu --host"
    interval     = 10
    timeout      = 1
  }
  metadata {
    display_name = "Memory Usage (Host)"
    key          = "5_mem_usage_host"
    script       = "coder stat mem --host"
    interval     = 10
    timeout      = 1
  }
  metadata {
    display_name = "Load Average (Host)"
    key          = "6_load_host"
    script   = <<EOT
      echo "`cat /proc/loadavg | awk '{ print $1 }'` `nproc`" | awk '{ printf "%0.2f", $1/$2 }'
    EOT
    interval = 60
    timeout  = 1
  }
  metadata {
    display_name = "Swap Usage (Host)"
    key          = "7_swap_host"
    script       = <<EOT
      free -b | awk '/^Swap/ { printf("%.1f/%.1f", $3/1024.0/1024.0/1024.0, $2/1024.0/1024.0/1024.0) }'
    EOT
    interval     = 10
    timeout      = 1
  }
}

# coder-login
resource "coder_env" "coder_session_token" {
  agent_id = coder_agent.main.id
  name     = "CODER_SESSION_TOKEN"
  value    = data.coder_workspace_owner.me.session_token
}
resource "coder_env" "coder_url" {
  agent_id = coder_agent.main.id
  name     = "CODER_URL"
  value    = data.coder_workspace.me.access_url
}

# dotfiles
module "dotfiles" {
  source       = "./dotfiles"
  agent_id     = coder_agent.main.id
  dotfiles_uri = data.coder_parameter.dotfiles_uri.value
}

# personalize
resource "coder_script" "personalize" {
  agent_id           = coder_agent.main.id
  display_name       = "Personalize"
  icon               = "/icon/personalize.svg"
  log_path           = "~/personalize.log"
  run_on_start       = true
  start_blocks_login = true
  script             = <<-EOT
    #!/usr/bin/env bash
    BOLD='\033[0;1m'
    SCRIPT="$${HOME}/personalize"
    if [ ! -f "$SCRIPT" ]; then
      printf "✨ $${BOLD}You don't have a personalize script!\n\n"
      exit 0
    fi
    if [ ! -x "$SCRIPT" ]; then
      echo "🔐 Your personalize script isn't executable!"
      exit 1
    fi
    $SCRIPT
  EOT
}

# git-clone
resource "coder_script" "git_clone" {
  agent_id           = coder_agent.main.id
  display_name       = "Git Clone"
  icon               = "/icon/git.svg"
  run_on_start       = true
  start_blocks_login = true
  script             = <<-EOT
    #!/usr/bin/env bash
    REPO_URL="${data.coder_parameter.repo.value}"
    CLONE_PATH="~/src"
    CLONE_PATH="$${CLONE_PATH/#\~/$${HOME}}"
    if [ -z "$REPO_URL" ]; then echo "No repository specified!"; exit 0; fi
    mkdir -p "$CLONE_PATH"
    if [ -z "$(ls -A "$CLONE_PATH")" ]; then
      echo "Cloning $REPO_URL to $CLONE_PATH..."
      git clone "$REPO_URL" "$CLONE_PATH"
    else
      echo "$CLONE_PATH already exists and isn't empty, skipping clone!"
    fi
  EOT
}

# coder-utils
locals { dir = "$HOME/.coder-modules/demo" }
resource "coder_script" "pre" {
  agent_id     = coder_agent.main.id
  display_name = "Demo: Pre-Install Script"
  run_on_start = true
  script       = <<-EOT
    #!/bin/bash
    set -o errexit
    set -o pipefail
    mkdir -p ${local.dir}/logs
    trap 'coder exp sync complete main-pre_install_script' EXIT
    coder exp sync start main-pre_install_script
    echo -n '${base64encode("#!/bin/bash\nsleep 0.5; echo pre >> ~/order\n")}' | base64 -d > ${local.dir}/pre.sh
    chmod +x ${local.dir}/pre.sh
    ${local.dir}/pre.sh 2>&1 | tee ${local.dir}/logs/pre.log
  EOT
}
resource "coder_script" "install" {
  agent_id     = coder_agent.main.id
  display_name = "Demo: Install Script"
  run_on_start = true
  script       = <<-EOT
    #!/bin/bash
    set -o errexit
    set -o pipefail
    mkdir -p ${local.dir}/logs
    trap 'coder exp sync complete main-install_script' EXIT
    coder exp sync want main-install_script main-pre_install_script
    coder exp sync start main-install_script
    echo install >> ~/order
    echo "#!/bin/sh" > $CODER_SCRIPT_BIN_DIR/demo; echo "echo I am demo" >> $CODER_SCRIPT_BIN_DIR/demo; chmod +x $CODER_SCRIPT_BIN_DIR/demo
    echo data >> $CODER_SCRIPT_DATA_DIR/kept
  EOT
}
resource "coder_script" "start" {
  agent_id     = coder_agent.main.id
  display_name = "Demo: Start Script"
  run_on_start = true
  script       = <<-EOT
    #!/bin/bash
    set -o errexit
    trap 'coder exp sync complete main-start_script' EXIT
    coder exp sync want main-start_script main-install_script main-pre_install_script
    coder exp sync start --timeout 1m main-start_script
    echo start >> ~/order
    demo
    mkdir -p ~/web && echo fine > ~/web/healthz
    httpd -p 127.0.0.1:13337 -h ~/web
  EOT
}
resource "coder_script" "bye" {
  agent_id     = coder_agent.main.id
  display_name = "Bye"
  run_on_stop  = true
  script       = "echo bye >> ~/bye"
}

resource "coder_app" "code-server" {
  agent_id     = coder_agent.main.id
  slug         = "code-server"
  display_name = "code-server"
  url          = "http://localhost:13337/?folder=/home/coder"
  icon         = "/icon/code.svg"
  subdomain    = true
  share        = "owner"
  order        = 1
  open_in      = "tab"
  healthcheck {
    url       = "http://localhost:13337/healthz"
    interval  = 1
    threshold = 6
  }
}
resource "coder_app" "vscode" {
  agent_id     = coder_agent.main.id
  external     = true
  slug         = "vscode"
  display_name = "VS Code Desktop"
  url = join("", [
    "vscode://coder.coder-remote/open",
    "?owner=", data.coder_workspace_owner.me.name,
    "&workspace=", data.coder_workspace.me.name,
    "&url=", data.coder_workspace.me.access_url,
    "&token=$SESSION_TOKEN",
  ])
}
resource "coder_app" "htop" {
  agent_id     = coder_agent.main.id
  slug         = "top"
  display_name = "top"
  command      = "top"
}

resource "docker_volume" "home_volume" {
  name = "coder-${data.coder_workspace.me.id}-home"
  lifecycle {
    ignore_changes = all
  }
  labels {
    label = "coder.workspace_id"
    value = data.coder_workspace.me.id
  }
  labels {
    label = "coder.workspace_name_at_creation"
    value = data.coder_workspace.me.name
  }
}

resource "docker_container" "workspace" {
  count = data.coder_workspace.me.start_count
  image = var.image
  name = "coder-${data.coder_workspace_owner.me.name}-${lower(data.coder_workspace.me.name)}"
  hostname = data.coder_workspace.me.name
  entrypoint = ["sh", "-c", replace(coder_agent.main.init_script, "/localhost|127\\.0\\.0\\.1/", "host.docker.internal")]
  env        = ["CODER_AGENT_TOKEN=${coder_agent.main.token}"]
  # Without it Docker kills the container at once, and with it its stop scripts.
  destroy_grace_seconds = 10
  host {
    host = "host.docker.internal"
    ip   = "host-gateway"
  }
  volumes {
    container_path = "/home/coder"
    volume_name    = docker_volume.home_volume.name
    read_only      = false
  }
  labels {
    label = "coder.workspace_id"
    value = data.coder_workspace.me.id
  }
}
