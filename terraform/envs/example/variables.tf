# What an operator says about an installation. Everything about functions comes from infra/suite.yaml.

variable "admin_domains" {
  description = "E-mail domains; the first of their people to sign in becomes platform admin."
  type        = set(string)
  default     = []
}

variable "allowed_customer_ids" {
  description = "Google Workspace or Cloud Identity customer ids whose members may be granted rights in the project; with `enforce_organization_policies`."
  type        = set(string)
  default     = []
}

variable "backup_location" {
  description = "Where backups of the database are kept: another region, or the multi-region around it."
  type        = string
}

variable "canary_percent" {
  description = "Share of the calls that new revisions get while `stable_revisions` names others, percent."
  type        = number
  default     = 100
}

variable "ci" {
  description = "Principal sets of CI (output `principal_sets` of terraform/bootstrap): builder builds and signs images, deployer rolls them out."
  type = object({
    builder  = optional(set(string), [])
    deployer = optional(set(string), [])
  })
  default = {}
}

variable "database_instance" {
  description = "Name of the database's instance, where it is another one than the first: a restore makes a new instance (infra/runbooks/restore-database.md). Null for the first."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,96}[a-z0-9]$", coalesce(var.database_instance, "driftwise")))
    error_message = "Take lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "disclosure" {
  description = "Where vulnerabilities are reported (mailto:, https: or tel:), the day from which on nobody vouches for it (at most a year ahead), and the operator's policy; null to publish none."
  type = object({
    contact = string
    until   = string
    policy  = optional(string, "")
  })
  default = null

  validation {
    condition     = var.disclosure == null || can(regex("^(mailto:[^@\\s]+@[^@\\s]+|https://\\S+|tel:\\+[0-9-]+)$", var.disclosure.contact))
    error_message = "An address of mailto:, https: or tel:."
  }

  validation {
    condition     = var.disclosure == null || can(formatdate("YYYY-MM-DD", "${var.disclosure.until}T00:00:00Z"))
    error_message = "A day, as in 2026-12-31."
  }

  validation {
    condition     = var.disclosure == null || can(regex("^(|https://\\S+)$", var.disclosure.policy))
    error_message = "An address of https:, or nothing."
  }
}

variable "enforce_organization_policies" {
  description = "Whether to set the organisation's policies on the project; needs rights on the organisation."
  type        = bool
  default     = false
}

variable "high_availability" {
  description = "The one switch between a small footprint and one that outlives a zone: second zones for database and cache, instances that are always there, every instance that the suite allows. See the cost note in terraform/README.md."
  type        = bool
  default     = false
}

variable "images" {
  description = "Image of each function, and of the jobs `migrations` and `journey`, by its digest."
  type        = map(string)

  validation {
    condition     = alltrue([for image in var.images : can(regex("@sha256:[0-9a-f]{64}$", image))])
    error_message = "Name every image by its digest; a tag may be another image tomorrow."
  }
}

variable "labels" {
  description = "Labels of everything that can be labelled."
  type        = map(string)
  default     = { suite = "driftwise" }
}

variable "language_model" {
  description = "The vendor whose model explains plans to organisations without a key of their own; null for none. Its key goes into the secret platform-model-key."
  type = object({
    provider = string
    model    = string
    endpoint = optional(string, "")
    region   = optional(string, "")
  })
  default = null
}

variable "lock_retention" {
  description = "Whether the retention of audit anchors and bills of materials can never be shortened again. Cannot be undone, and keeps the project from being deleted: switch it off while you try things out."
  type        = bool
  default     = true
}

variable "mail" {
  description = "The server that notifications by e-mail are handed to; null for no e-mail. The password of `user` goes into the secret smtp-password."
  type = object({
    host = string
    port = optional(number, 587)
    tls  = optional(string, "starttls")
    user = optional(string, "")
    from = string
  })
  default = null

  validation {
    condition     = var.mail == null || try(contains(["starttls 587", "tls 465"], "${var.mail.tls} ${var.mail.port}"), false)
    error_message = "Mail is submitted by starttls on port 587 or by tls on port 465."
  }
}

variable "oidc_providers" {
  description = "Where people sign in, in the order in which they see it; the fields are in functions/auth/README.md. Client secrets go into the secret oidc-client-secret."
  type = list(object({
    id              = string
    name            = string
    issuer          = string
    client_id       = string
    trusted_domains = optional(list(string), [])
    allowed_domains = optional(list(string), [])
    verified_claim  = optional(string, "email_verified")
    domain_claim    = optional(string, "")
    signs_out       = optional(bool, true)
  }))

  validation {
    condition     = length(var.oidc_providers) > 0 && alltrue([for provider in var.oidc_providers : startswith(provider.issuer, "https://")])
    error_message = "Name at least one provider, with an https issuer: nobody could sign in otherwise."
  }
}

variable "perimeter" {
  description = "VPC Service Controls around the project; null for none, as it needs rights on the organisation."
  type = object({
    access_policy      = string
    automation_members = optional(set(string), [])
    dry_run            = optional(bool, true)
    operator_members   = set(string)
    operator_ranges    = optional(list(string), [])
  })
  default = null
}

variable "project_id" {
  description = "Project that the suite lives in, empty but for what terraform/bootstrap made."
  type        = string
}

variable "recovery_region" {
  description = "Second region: copies of the secrets and, with `recovery_replica`, of the database."
  type        = string

  validation {
    condition     = var.recovery_region != var.region
    error_message = "A second region is another one."
  }
}

variable "recovery_replica" {
  description = "Whether a copy of the database follows in the second region; about the price of the database once more. Without it the last backup is restored there."
  type        = bool
  default     = false
}

variable "region" {
  description = "Region of the suite, e.g. europe-west4."
  type        = string
}

variable "stable_revisions" {
  description = "Service to the revision that serves now (output `serving_revisions` of the last apply); empty for a first deployment."
  type        = map(string)
  default     = {}
}

variable "stripe_prices" {
  description = "Which price at Stripe buys which plan; empty where nothing is sold. The keys go into the secrets stripe-secret-key and stripe-webhook-secret."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for price, plan in var.stripe_prices : can(regex("^price_[0-9A-Za-z]+$", price)) && contains(["team", "enterprise"], plan)])
    error_message = "Prices are called price_…, and buy team or enterprise."
  }
}

variable "tracing" {
  description = "Where spans are sent, OTLP over HTTP without /v1/traces, and the share of requests that is traced, percent; empty for no tracing."
  type = object({
    endpoint = optional(string, "")
    percent  = optional(number, 10)
  })
  default = {}
}

variable "trusted_issuers" {
  description = "Other issuers whose access tokens are taken. Then every function may call the internet, to fetch their keys."
  type = list(object({
    issuer     = string
    jwks_url   = string
    audience   = string
    token_type = string
  }))
  default = []
}
