variable "canary_percent" {
  description = "Share of the calls that the new revision gets while `stable_revisions` names another one; the rest goes there."
  type        = number
  default     = 100

  validation {
    condition     = var.canary_percent >= 0 && var.canary_percent <= 100 && floor(var.canary_percent) == var.canary_percent
    error_message = "Take a whole number of percent."
  }
}

variable "deployer_member" {
  description = "Member that may deploy revisions and share the calls between them."
  type        = string
}

variable "entry_points" {
  description = "Services of the function: name, trigger (http: the load balancer; events: the queue and the scheduler), limits (MiB, vCPU, requests at once, seconds, instances), database connections of one instance."
  type = map(object({
    service          = string
    trigger          = string
    memory_mib       = number
    cpu              = number
    concurrency      = number
    timeout_seconds  = number
    max_instances    = number
    pool_connections = number
  }))

  validation {
    condition     = alltrue([for entry_point in var.entry_points : contains(["events", "http"], entry_point.trigger)])
    error_message = "A trigger is http or events."
  }

  validation {
    condition     = alltrue([for entry_point in var.entry_points : entry_point.memory_mib >= 512 || entry_point.cpu <= 1])
    error_message = "More than one processor needs 512 MiB."
  }
}

variable "environment" {
  description = "Settings of the function (shared/settings.py), besides those that name the service itself. No secret is among them."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.environment) : startswith(name, "DW_")])
    error_message = "Settings begin with DW_."
  }
}

variable "events_caller" {
  description = "E-mail address of the account that calls the workers."
  type        = string
}

variable "image" {
  description = "Image of the function, by its digest: REGION-docker.pkg.dev/PROJECT/REPOSITORY/NAME@sha256:…"
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+-docker\\.pkg\\.dev/[a-z0-9-]+/[a-z0-9-]+/[a-z0-9/_-]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest; a tag may be another image tomorrow."
  }
}

variable "kms_key_id" {
  description = "Key that the image's copy and the instances' disks are encrypted under."
  type        = string
}

variable "min_instances" {
  description = "Instances of each http service that are always there; 0 costs nothing and makes the first caller wait."
  type        = number
  default     = 0

  validation {
    condition     = var.min_instances >= 0
    error_message = "Take 0 or more."
  }
}

variable "name" {
  description = "What the services' names begin with."
  type        = string
}

variable "network" {
  description = "Where calls leave: the network, its subnet, and tags that the firewall knows."
  type = object({
    network_id = string
    subnet_id  = string
    tags       = optional(list(string), [])
  })
}

variable "project_id" {
  description = "Project that the services live in."
  type        = string
}

variable "project_number" {
  description = "Its number; Cloud Run puts it into the services' addresses."
  type        = string
}

variable "region" {
  description = "Region of the services."
  type        = string
}

variable "secret_environment" {
  description = "Settings whose value is a secret: the secret and the number of its version."
  type = map(object({
    id      = string
    version = string
  }))
  default = {}
}

variable "service_account" {
  description = "E-mail address of the account that the function acts as."
  type        = string
}

variable "stable_revisions" {
  description = "Service to the revision that serves now (output `serving_revisions` of the last apply); empty for a first deployment."
  type        = map(string)
  default     = {}
}
