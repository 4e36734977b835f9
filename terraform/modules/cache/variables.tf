variable "high_availability" {
  description = "Whether a second zone takes over when the first is lost; about twice the price."
  type        = bool
  default     = false
}

variable "kms_key_id" {
  description = "Key that the memory is encrypted under."
  type        = string
}

variable "memory_gib" {
  description = "Memory, GiB. The rate limiter keeps about 200 bytes per caller and minute."
  type        = number
  default     = 1

  validation {
    condition     = var.memory_gib >= 1 && var.memory_gib <= 300
    error_message = "Take 1 to 300 GiB."
  }
}

variable "name" {
  description = "Name of the instance."
  type        = string
}

variable "network_id" {
  description = "Network with Private Service Access."
  type        = string
}

variable "private_services_range_name" {
  description = "Range that the address is taken from."
  type        = string
}

variable "project_id" {
  description = "Project that the instance lives in."
  type        = string
}

variable "readers" {
  description = "Function to the member that may read the address with its password: all that count calls."
  type        = map(string)
}

variable "region" {
  description = "Region of the instance."
  type        = string
}

variable "secret_kms_key_id" {
  description = "Key that the secret with the address is encrypted under."
  type        = string
}
