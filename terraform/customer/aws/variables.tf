variable "driftwise_google_account_id" {
  description = "Unique id (21 digits) of the Google service account that DriftWise scans as; whoever runs DriftWise tells you. Its tokens, made for your external id alone, open the role: no key exists. Not needed behind a hub."
  type        = string
  default     = null

  validation {
    condition     = var.hub_role_arn != null || can(regex("^[0-9]{15,25}$", var.driftwise_google_account_id))
    error_message = "The unique id of a Google service account has digits only; it is left out for a role behind a hub alone."
  }
}

variable "external_id" {
  description = "External id that DriftWise chose when you connected the account. It keeps another customer of DriftWise from using your role."
  type        = string

  validation {
    condition     = can(regex("^dw-[a-z2-7]{32}$", var.external_id))
    error_message = "DriftWise's external ids begin with dw- and have 32 letters and digits; copy it from the connected account."
  }
}

variable "hub_role_arn" {
  description = "The role of your hub account through which DriftWise takes on this one; null when it does so itself. It is the `through` of the connected account."
  type        = string
  default     = null

  validation {
    condition     = var.hub_role_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[0-9A-Za-z_+=,.@/-]+$", var.hub_role_arn))
    error_message = "Name the hub's role by its ARN."
  }
}

variable "max_session_seconds" {
  description = "How long one sign-in may last, in seconds; DriftWise asks for an hour."
  type        = number
  default     = 3600

  validation {
    condition     = var.max_session_seconds >= 3600 && var.max_session_seconds <= 7200
    error_message = "Between one and two hours."
  }
}

variable "permissions_boundary_arn" {
  description = "A permissions boundary that your organisation puts on every role; null for none."
  type        = string
  default     = null
}

variable "reads_configuration" {
  description = "Whether the role reads how resources are configured; false for a role of an account that only holds states."
  type        = bool
  default     = true
}

variable "role_name" {
  description = "Name of the role; its ARN is what you give DriftWise."
  type        = string
  default     = "driftwise-read"

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,64}$", var.role_name))
    error_message = "A role's name has 1 to 64 letters, digits and +=,.@_-"
  }
}

variable "spoke_role_arns" {
  description = "For a hub: the roles of your other accounts that it takes on; the account may be *, the role's name may not. Each of them trusts this role and the external id besides."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for role in var.spoke_role_arns : can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|\\*):role/[0-9A-Za-z_+=,.@/-]+$", role))])
    error_message = "Name roles by their ARN; only the account may be *."
  }
}

variable "state_kms_key_arns" {
  description = "KMS keys under which those states are encrypted, if it is not Amazon's own."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for key in var.state_kms_key_arns : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]+$", key))])
    error_message = "Name keys by their ARN, without wildcards."
  }
}

variable "state_objects" {
  description = "Terraform states in S3 that DriftWise may fetch, as bucket/key; * in the key stands for a family of states, whose names may then be listed by what stands before it. Empty when you upload states."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for item in var.state_objects : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^*/]", item))])
    error_message = "Name states as bucket/key; a whole bucket holds more than states."
  }
}

variable "tags" {
  description = "Tags of the role and its policies."
  type        = map(string)
  default     = {}
}
