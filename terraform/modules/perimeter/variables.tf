variable "access_policy" {
  description = "Number of the organisation's access policy."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.access_policy))
    error_message = "An access policy is a number."
  }
}

variable "dry_run" {
  description = "Whether violations are logged only. Watch them for some days before you enforce it."
  type        = bool
  default     = true
}

variable "name" {
  description = "What names begin with."
  type        = string
}

variable "operator_members" {
  description = "People and accounts that may work on the project from outside (user:… or serviceAccount:…), CI's accounts among them."
  type        = set(string)

  validation {
    condition     = length(var.operator_members) > 0 && alltrue([for member in var.operator_members : can(regex("^(serviceAccount|user):", member))])
    error_message = "Name users and service accounts, at least one: a perimeter lets groups in by no other way, and nobody could take it away again."
  }
}

variable "operator_ranges" {
  description = "Networks that they work from, CIDR; empty for anywhere."
  type        = list(string)
  default     = []
}

variable "project_number" {
  description = "Number of the project inside."
  type        = string
}
