variable "allowed_customer_ids" {
  description = "Google Workspace or Cloud Identity customer ids (C…) whose members may be granted rights here; empty sets no such policy."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.allowed_customer_ids : can(regex("^C[0-9a-z]+$", id))])
    error_message = "A customer id begins with C."
  }
}

variable "enforce_organization_policies" {
  description = "Whether to set the organisation's policies on this project; needs the role Organization Policy Administrator."
  type        = bool
  default     = false
}

variable "project_id" {
  description = "Project that the suite lives in."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "A project id has 6 to 30 lower-case letters, digits and hyphens."
  }
}
