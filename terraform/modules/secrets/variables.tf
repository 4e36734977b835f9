variable "project_id" {
  description = "Project that the secrets live in."
  type        = string
}

variable "readers" {
  description = "Secret to the functions' members that may read it."
  type        = map(map(string))
  default     = {}

  validation {
    condition     = alltrue([for secret in keys(var.readers) : contains(keys(var.secrets), secret)])
    error_message = "A reader is named for a secret that does not exist."
  }
}

variable "replicas" {
  description = "Region to the key that the copy there is encrypted under; a second region keeps the secrets when the first is lost."
  type        = map(string)

  validation {
    condition     = length(var.replicas) >= 1
    error_message = "Name at least one region."
  }
}

variable "rotation_days" {
  description = "Days after which a notice asks for a new version."
  type        = number
  default     = 365

  validation {
    condition     = var.rotation_days >= 1 && var.rotation_days <= 730
    error_message = "Take 1 to 730 days."
  }
}

variable "rotation_topic_id" {
  description = "Topic of the notices; Secret Manager may publish to it already, as it tries that before it takes the topic."
  type        = string
}

variable "rotators" {
  description = "Secret to the functions' members that may add versions to it."
  type        = map(map(string))
  default     = {}

  validation {
    condition     = alltrue([for secret in keys(var.rotators) : contains(keys(var.secrets), secret)])
    error_message = "Somebody is to rotate a secret that does not exist."
  }
}

variable "secrets" {
  description = "Secrets of the suite: generated_bytes of a version that is random."
  type        = map(object({ generated_bytes = number }))
}

variable "version_destroy_days" {
  description = "Days for which a version that somebody destroys can still be restored."
  type        = number
  default     = 30

  validation {
    condition     = var.version_destroy_days >= 1 && var.version_destroy_days <= 120
    error_message = "Take 1 to 120 days."
  }
}
