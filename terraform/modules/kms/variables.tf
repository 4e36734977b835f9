variable "cmek" {
  description = "Service that encrypts what it stores to the member of its agent: each gets a key of its own that nobody else can use."
  type        = map(string)
  default     = {}
}

variable "destroy_scheduled_days" {
  description = "Days for which a key version that somebody wants destroyed can still be restored."
  type        = number
  default     = 30

  validation {
    condition     = var.destroy_scheduled_days >= 7 && var.destroy_scheduled_days <= 120
    error_message = "Take 7 to 120 days: time enough to notice a mistake."
  }
}

variable "keys" {
  description = "Keys that functions use themselves: purpose, algorithm of signing keys, rotation_days of wrapping keys."
  type = map(object({
    purpose       = string
    algorithm     = optional(string)
    rotation_days = optional(number)
  }))
  default = {}

  validation {
    condition     = alltrue([for key in var.keys : contains(["asymmetric_sign", "encrypt_decrypt"], key.purpose)])
    error_message = "A key signs (asymmetric_sign) or wraps (encrypt_decrypt)."
  }

  validation {
    condition     = alltrue([for key in var.keys : (key.purpose == "encrypt_decrypt") == (key.rotation_days != null)])
    error_message = "Keys that wrap rotate by themselves and need rotation_days; keys that sign are rotated by the runbook."
  }

  validation {
    condition     = alltrue([for key in var.keys : (key.purpose == "asymmetric_sign") == (key.algorithm != null)])
    error_message = "A signing key needs its algorithm."
  }
}

variable "name" {
  description = "Name of the ring of the functions' keys; the functions know it by this name. The ring of the services' keys is called the same with -cmek."
  type        = string
}

variable "project_id" {
  description = "Project that the keys live in."
  type        = string
}

variable "protection_level" {
  description = "SOFTWARE, or HSM where keys must not leave hardware (about 1 USD per key version and month instead of 0.06)."
  type        = string
  default     = "SOFTWARE"

  validation {
    condition     = contains(["SOFTWARE", "HSM"], var.protection_level)
    error_message = "Take SOFTWARE or HSM."
  }
}

variable "region" {
  description = "Location of the rings."
  type        = string
}

variable "rotation_days" {
  description = "Days after which the services' keys get a new version."
  type        = number
  default     = 90

  validation {
    condition     = var.rotation_days >= 1 && var.rotation_days <= 90
    error_message = "Take 1 to 90 days."
  }
}

variable "users" {
  description = "Function to its member and the keys that it uses."
  type = map(object({
    member   = string
    kms_keys = set(string)
  }))
  default = {}
}
