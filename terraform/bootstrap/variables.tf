variable "github" {
  description = <<-EOT
    The repository on GitHub whose workflows may act, by numbers, which nobody can register again after a deletion; null for none. Images
    are built by pushes to `branch`, rolled out by jobs of `environment`, and the platform is applied by jobs of `platform_environment`:
    protect both environments by reviewers.
  EOT
  type = object({
    owner_id             = string
    repository_id        = string
    branch               = optional(string, "main")
    environment          = optional(string, "production")
    platform_environment = optional(string, "platform")
  })
  default = null

  validation {
    condition     = var.github == null || try(can(regex("^[0-9]+ [0-9]+$", "${var.github.owner_id} ${var.github.repository_id}")), false)
    error_message = "Owner and repository are named by their numbers (gh api repos/OWNER/NAME)."
  }
}

variable "gitlab" {
  description = "The same for a project on GitLab, by numbers; branch and environments must be protected ones. Null for none."
  type = object({
    issuer               = optional(string, "https://gitlab.com")
    namespace_id         = string
    project_id           = string
    branch               = optional(string, "main")
    environment          = optional(string, "production")
    platform_environment = optional(string, "platform")
  })
  default = null

  validation {
    condition     = var.gitlab == null || try(can(regex("^[0-9]+ [0-9]+$", "${var.gitlab.namespace_id} ${var.gitlab.project_id}")) && startswith(var.gitlab.issuer, "https://"), false)
    error_message = "Namespace and project are named by their numbers, the issuer by its https address."
  }
}

variable "name" {
  description = "What names begin with."
  type        = string
  default     = "driftwise"
}

variable "project_id" {
  description = "Project that the suite will live in."
  type        = string
}

variable "region" {
  description = "Region of the state bucket and its key."
  type        = string
}
