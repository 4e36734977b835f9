variable "driftwise_google_account_id" {
  description = "Unique id (21 digits) of the Google service account that DriftWise scans as; whoever runs DriftWise tells you. Its tokens, made for your external id alone, are taken; no secret exists."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{15,25}$", var.driftwise_google_account_id))
    error_message = "The unique id of a Google service account has digits only."
  }
}

variable "external_id" {
  description = "External id that DriftWise chose for your connection. It keeps another customer of DriftWise from reading your subscriptions."
  type        = string

  validation {
    condition     = can(regex("^dw-[a-z2-7]{32}$", var.external_id))
    error_message = "DriftWise's external ids begin with dw- and have 32 letters and digits."
  }
}

variable "location" {
  description = "Azure region of the resource group and the identity."
  type        = string
}

variable "name" {
  description = "Name of the identity and its resource group."
  type        = string
  default     = "driftwise-read"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{2,126}[A-Za-z0-9]$", var.name))
    error_message = "A name has 4 to 128 letters, digits, hyphens and underscores."
  }
}

variable "reads_every_type" {
  description = "Whether DriftWise sees that resources exist which it does not compare by attribute. Without it the role lists the actions of the types that it compares."
  type        = bool
  default     = true
}

variable "scanned_subscription_ids" {
  description = "Subscriptions whose configuration DriftWise reads."
  type        = set(string)

  validation {
    condition     = length(var.scanned_subscription_ids) > 0 && alltrue([for id in var.scanned_subscription_ids : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", id))])
    error_message = "Name at least one subscription, by its id in lower case."
  }
}

variable "state_containers" {
  description = "Resource ids of blob containers with Terraform states that DriftWise may fetch. Empty when you upload states."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.state_containers : can(regex("/blobServices/default/containers/[a-z0-9-]+$", id))])
    error_message = "Name containers by their resource ids: a whole storage account holds more than states."
  }
}

variable "state_external_ids" {
  description = "External ids of further state sources that sign in as this identity; each source has one of its own."
  type        = set(string)
  default     = []

  validation {
    condition     = length(var.state_external_ids) <= 19 && alltrue([for id in var.state_external_ids : can(regex("^dw-[a-z2-7]{32}$", id))])
    error_message = "At most 19 (an identity takes 20 credentials), each of dw- and 32 letters and digits."
  }
}

variable "tags" {
  description = "Tags of the resource group and the identity."
  type        = map(string)
  default     = {}
}
