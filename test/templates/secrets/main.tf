# Secrets of the owner that the workspace cannot start without.

terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_secret" "registry" {
  env          = "REGISTRY_TOKEN"
  help_message = "Make one under Settings in the registry."
}

data "coder_secret" "license" {
  file         = "~/.license"
  help_message = "Ask the platform team for it."
}

resource "terraform_data" "seen" {
  input = {
    "secret.registry" = nonsensitive(data.coder_secret.registry.value)
    "secret.license"  = nonsensitive(data.coder_secret.license.value)
  }
}
