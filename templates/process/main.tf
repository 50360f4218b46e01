# A workspace as a process of the machine that the server (or provider) runs on,
# with a home directory of its own. No container engine is needed: it is meant
# for one person on one machine, and for trying Berth out.

terraform {
  required_providers {
    # The public provider: agents, parameters, apps, scripts.
    coder = {
      source = "coder/coder"
    }
    # Berth's own: directories and processes of the host.
    berth = {
      source = "berthdev/berth"
    }
  }
}

# What Berth tells every template: who the workspace belongs to, what it is
# called, and whether this build starts or stops it.
data "coder_provisioner" "me" {}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}

# A question that is asked when a workspace is created. A mutable one may be
# answered anew at each start: berth start WS --parameter greeting=…
data "coder_parameter" "greeting" {
  name         = "greeting"
  display_name = "Greeting"
  description  = "A line that the workspace says when it has started."
  type         = "string"
  default      = "ahoy"
  mutable      = true
}

# Persistent: there is no count, so a stop leaves it alone. Its name has nothing
# in it that can change, neither the workspace's name nor its owner's, so no
# build ever has a reason to replace it. It goes when the workspace is deleted.
resource "berth_directory" "home" {
  name = "home"
}

# The agent is what people reach. Everything that it runs begins in the home.
resource "coder_agent" "main" {
  os   = "linux"
  arch = data.coder_provisioner.me.arch

  startup_script = "echo \"$GREETING from $(hostname)\""
  env = {
    GREETING = data.coder_parameter.greeting.value
  }

  # Shown beside the workspace while somebody looks.
  metadata {
    key          = "load"
    display_name = "Load"
    script       = "cut -d' ' -f1 /proc/loadavg"
    interval     = 10
    timeout      = 1
  }
}

# Ephemeral: start_count is 1 in a start and 0 in a stop, so a stop ends the
# process. One that died by itself is noticed and started by the next start.
resource "berth_process" "workspace" {
  count     = data.coder_workspace.me.start_count
  directory = berth_directory.home.path
  # The init script fetches the agent from the server and becomes it.
  command = ["sh", "-c", coder_agent.main.init_script]
  # What the agent writes stays in the home: its binary and its scripts' data, and
  # the logs of scripts. In /tmp, workspaces would share it and leave it behind.
  env = {
    CODER_AGENT_TOKEN    = coder_agent.main.token
    BERTH_AGENT_BIN_DIR  = "${berth_directory.home.path}/.berth"
    BERTH_AGENT_DATA_DIR = "${berth_directory.home.path}/.berth/agent"
    BERTH_AGENT_LOG_DIR  = "${berth_directory.home.path}/.berth/log"
  }
}
