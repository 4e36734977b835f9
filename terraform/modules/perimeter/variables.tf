variable "access_policy" {
  description = "Number of the organisation's access policy."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.access_policy))
    error_message = "An access policy is a number."
  }
}

variable "automation_members" {
  description = "Accounts of CI that work on the project from anywhere (serviceAccount:…), by short-lived tokens of their jobs."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.automation_members : startswith(member, "serviceAccount:")])
    error_message = "People work from listed networks; only service accounts stand here."
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
  description = "People and accounts that may work on the project from `operator_ranges` (user:… or serviceAccount:…)."
  type        = set(string)

  validation {
    condition     = length(var.operator_members) > 0 && alltrue([for member in var.operator_members : can(regex("^(serviceAccount|user):", member))])
    error_message = "Name users and service accounts, at least one: a perimeter lets groups in by no other way, and nobody could take it away again."
  }
}

variable "operator_ranges" {
  description = "Networks that operators work from, CIDR. Empty for anywhere, which only watching allows."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for range in var.operator_ranges : can(cidrhost(range, 0)) && tonumber(split("/", range)[1]) >= 16])
    error_message = "A network is written as CIDR and holds no more than a /16."
  }

  validation {
    condition     = var.dry_run || length(var.operator_ranges) > 0
    error_message = "Name the networks that operators work from before the perimeter is enforced."
  }
}

variable "project_number" {
  description = "Number of the project inside."
  type        = string
}
