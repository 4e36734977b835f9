variable "buckets" {
  description = "Buckets of the suite whose objects are written once: short name to retention_days. Full names begin with the project."
  type        = map(object({ retention_days = number }))
}

variable "kms_key_id" {
  description = "Key that the objects are encrypted under; in the buckets' location."
  type        = string
}

variable "lock_retention" {
  description = "Whether retention can never be shortened again. For production: then nobody, the project's owner included, can remove an object early, or the bucket before its last object is old enough."
  type        = bool
  default     = true
}

variable "log_retention_days" {
  description = "Days for which records of who read what are kept."
  type        = number
  default     = 400

  validation {
    condition     = var.log_retention_days >= 30
    error_message = "Keep them for 30 days at least."
  }
}

variable "project_id" {
  description = "Project that the buckets live in."
  type        = string
}

variable "region" {
  description = "Location of the buckets."
  type        = string
}

variable "sbom_retention_days" {
  description = "Days for which bills of materials of what ran in production are kept."
  type        = number
  default     = 730

  validation {
    condition     = var.sbom_retention_days >= 365
    error_message = "Keep them for a year at least: what ran then is asked about later."
  }
}

variable "writers" {
  description = "Bucket (`sboms` too) to the names and members that may add objects to it and read them; nobody may replace or delete one."
  type        = map(map(string))
  default     = {}

  validation {
    condition     = alltrue([for bucket in keys(var.writers) : contains(concat(keys(var.buckets), ["sboms"]), bucket)])
    error_message = "A writer is named for a bucket that does not exist."
  }
}
