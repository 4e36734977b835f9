variable "backup_location" {
  description = "Region (or multi-region such as eu) that backups are kept in; another one than the instance's."
  type        = string

  validation {
    condition     = var.backup_location != var.region
    error_message = "Backups in the instance's own region are lost with it."
  }
}

variable "backups" {
  description = "How many daily backups are kept."
  type        = number
  default     = 30

  validation {
    condition     = var.backups >= 7 && var.backups <= 365
    error_message = "Keep 7 to 365."
  }
}

variable "database" {
  description = "Name of the database and major version of PostgreSQL."
  type = object({
    name    = string
    version = number
  })
}

variable "demanded_connections" {
  description = "How many connections all functions may open at once: pool sizes times instances."
  type        = number
}

variable "disk_gib" {
  description = "Disk to begin with, GiB; it grows by itself."
  type        = number
  default     = 20
}

variable "disk_limit_gib" {
  description = "How far the disk may grow by itself, GiB."
  type        = number
  default     = 500
}

variable "high_availability" {
  description = "Whether a second zone takes over when the first is lost; about twice the price."
  type        = bool
  default     = false
}

variable "kms_key_id" {
  description = "Key that disk and backups are encrypted under."
  type        = string
}

variable "maintenance" {
  description = "Window of updates: day of the week (1 is Monday) and hour, UTC."
  type = object({
    day  = optional(number, 7)
    hour = optional(number, 3)
  })
  default = {}

  validation {
    condition     = var.maintenance.day >= 1 && var.maintenance.day <= 7 && var.maintenance.hour >= 0 && var.maintenance.hour <= 23
    error_message = "A day is 1 to 7, an hour 0 to 23."
  }
}

variable "max_connections" {
  description = "Connections that the server takes; each costs about 5 MiB of memory while it works."
  type        = number

  validation {
    condition     = var.max_connections >= 50 && var.max_connections <= 10000
    error_message = "Take 50 to 10,000."
  }
}

variable "name" {
  description = "Name of the instance. It cannot be used again for a week after a deletion."
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

variable "region" {
  description = "Region of the instance."
  type        = string
}

variable "replica" {
  description = "A copy in another region that can be made the primary when this one is lost: its region and a key there. Null for backups alone; see terraform/README.md on recovery."
  type = object({
    region     = string
    kms_key_id = string
  })
  default = null

  validation {
    condition     = try(var.replica.region != var.region, true)
    error_message = "A copy in the same region is lost with it."
  }
}

variable "tier" {
  description = "Machine type, e.g. db-custom-2-7680 (2 vCPU, 7,680 MiB)."
  type        = string

  validation {
    condition     = can(regex("^db-(custom-[0-9]+-[0-9]+|perf-optimized-N-[0-9]+)$", var.tier))
    error_message = "Shared-core machines have no service level; take db-custom-CPU-MIB or db-perf-optimized-N-CPU."
  }
}

variable "users" {
  description = "Function (`migrations` too) to the e-mail address of the account that logs in as it. Nobody has a password."
  type        = map(string)
}
