variable "asset_feed_account_id" {
  description = "Id of the service account, made in `project_id`, whose tokens prove that pushes are yours; its e-mail address is the `push_account` that you gave DriftWise."
  type        = string
  default     = "driftwise-feed"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.asset_feed_account_id))
    error_message = "A service account's id has 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "asset_feeds" {
  description = "What tells DriftWise of its changes, so that they start scans: `projects/ID`, `folders/NUMBER` or `organizations/NUMBER` to the endpoint that DriftWise answered for it. Empty for scans by schedule alone."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for parent in keys(var.asset_feeds) : can(regex("^(projects/[a-z0-9][a-z0-9.:-]{0,63}|(folders|organizations)/[0-9]{1,25})$", parent))])
    error_message = "A feed is named by what it watches: a project by its id, a folder or an organisation by its number."
  }

  validation {
    condition     = alltrue([for endpoint in values(var.asset_feeds) : can(regex("^https://[a-z0-9.-]+(:[0-9]+)?/api/v2/asset-feeds/[0-9a-f-]{36}$", endpoint))])
    error_message = "An endpoint is the one that DriftWise answered, by HTTPS."
  }
}

variable "driftwise_google_account_id" {
  description = "Unique id (21 digits) of the Google service account that DriftWise scans as; whoever runs DriftWise tells you. Its tokens, made for your external id alone, are taken; no key exists."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{15,25}$", var.driftwise_google_account_id))
    error_message = "The unique id of a Google service account has digits only."
  }
}

variable "external_id" {
  description = "External id that DriftWise chose for your connection. It keeps another customer of DriftWise from reading your projects."
  type        = string

  validation {
    condition     = can(regex("^dw-[a-z2-7]{32}$", var.external_id))
    error_message = "DriftWise's external ids begin with dw- and have 32 letters and digits."
  }
}

variable "organization_id" {
  description = "Number of your organisation, when DriftWise reads folders of it or, without folders and projects, the whole of it."
  type        = string
  default     = null

  validation {
    condition     = var.organization_id == null || can(regex("^[0-9]{1,25}$", var.organization_id))
    error_message = "An organisation is named by its number."
  }
}

variable "pool_id" {
  description = "Id of the workload identity pool that is made in `project_id`."
  type        = string
  default     = "driftwise"

  validation {
    condition     = can(regex("^[a-z0-9-]{4,32}$", var.pool_id)) && !startswith(var.pool_id, "gcp-")
    error_message = "A pool's id has 4 to 32 lower-case letters, digits and hyphens and does not begin with gcp-."
  }
}

variable "project_id" {
  description = "Project that the pool lives in; one for security or for shared services is a good place."
  type        = string
}

variable "provider_id" {
  description = "Id of the identity provider in the pool; its full name is what you gave DriftWise."
  type        = string
  default     = "google"

  validation {
    condition     = can(regex("^[a-z0-9-]{4,32}$", var.provider_id)) && !startswith(var.provider_id, "gcp-")
    error_message = "A provider's id has 4 to 32 lower-case letters, digits and hyphens and does not begin with gcp-."
  }
}

variable "scanned_folder_ids" {
  description = "Numbers of the folders whose configuration DriftWise reads; empty for the whole organisation, or for projects."
  type        = set(string)
  default     = []

  validation {
    condition     = length(var.scanned_folder_ids) == 0 || var.organization_id != null
    error_message = "Folders need the number of their organisation, where the role is made."
  }

  validation {
    condition     = alltrue([for id in var.scanned_folder_ids : can(regex("^[0-9]{1,25}$", id))])
    error_message = "A folder is named by its number."
  }
}

variable "scanned_project_ids" {
  description = "Projects whose configuration DriftWise reads; empty when it reads folders or the organisation."
  type        = set(string)
  default     = []

  validation {
    condition     = length(var.scanned_project_ids) > 0 || var.organization_id != null
    error_message = "Name at least one project, or your organisation."
  }
}

variable "service_account" {
  description = "E-mail address of an account of yours that DriftWise acts as; null for the pool's principal, which needs none."
  type        = string
  default     = null

  validation {
    condition     = var.service_account == null || can(regex("^[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\\.gserviceaccount\\.com$", var.service_account))
    error_message = "Name a service account by its e-mail address."
  }
}

variable "state_buckets" {
  description = "Buckets with Terraform states that DriftWise may fetch: bucket to the beginning of the states' names. Empty when you upload states."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for prefix in values(var.state_buckets) : can(regex("^[^'\\\\]+$", prefix))])
    error_message = "Give a prefix, without quotes and backslashes: a whole bucket may hold more than states."
  }
}

variable "state_external_ids" {
  description = "External ids of further state sources that sign in through this pool; each source has one of its own."
  type        = set(string)
  default     = []

  validation {
    condition     = length(var.state_external_ids) <= 9 && alltrue([for id in var.state_external_ids : can(regex("^dw-[a-z2-7]{32}$", id))])
    error_message = "At most nine (a provider takes ten audiences), each of dw- and 32 letters and digits."
  }
}
