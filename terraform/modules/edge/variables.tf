variable "adaptive_protection" {
  description = "Whether Cloud Armor learns the usual traffic and reports attacks against it. Full reports need Cloud Armor Enterprise."
  type        = bool
  default     = true
}

variable "additional_domains" {
  description = "Further host names that the suite answers to, each with a certificate; their records are made or listed as the domain's are."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for domain in var.additional_domains : can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", domain))])
    error_message = "A domain is a host name in lower case, without scheme, port and trailing dot."
  }
}

variable "authentication_path_prefixes" {
  description = "Beginnings of the paths where people and machines prove who they are; they are slowed down by address."
  type        = list(string)
  default     = ["/auth/", "/api/v2/invitations/", "/api/v2/secret-scanning/", "/device"]

  validation {
    condition = length(var.authentication_path_prefixes) > 0 && alltrue([
      for prefix in var.authentication_path_prefixes : can(regex("^/[A-Za-z0-9/_-]+$", prefix))
    ])
    error_message = "Name at least one; a prefix begins with a slash and has letters, digits, slashes, hyphens and underscores only, as it becomes part of a regular expression."
  }
}

variable "bot_management" {
  description = "Whether browsers that open one of `browser_paths` pass a reCAPTCHA challenge first (once per exemption cookie). In preview it is counted and not asked."
  type = object({
    browser_paths = optional(list(string), ["/auth/login", "/device"])
    enabled       = optional(bool, true)
    preview       = optional(bool, true)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for path in var.bot_management.browser_paths : can(regex("^/[A-Za-z0-9/_-]+$", path))])
    error_message = "A browser path begins with a slash and has letters, digits, slashes, hyphens and underscores only."
  }
}

variable "denied_networks" {
  description = "Networks in CIDR notation that get 403 for everything; at most ten (Cloud Armor's limit of one rule)."
  type        = list(string)
  default     = []

  validation {
    condition = length(var.denied_networks) <= 10 && alltrue([
      for network in var.denied_networks : can(cidrhost(network, 0))
    ])
    error_message = "Give at most ten networks in CIDR notation."
  }
}

variable "dns_zone" {
  description = "Whether the module makes a public, DNSSEC-signed zone for the domain with all records. Without it the output `dns_records` says what to enter elsewhere."
  type        = bool
  default     = false
}

variable "domain" {
  description = "Host name under which customers reach the suite, e.g. app.example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain))
    error_message = "The domain is a host name in lower case, without scheme, port and trailing dot."
  }
}

variable "hsts_max_age_seconds" {
  description = "How long browsers refuse plain HTTP, in seconds; the preload list asks for a year at least."
  type        = number
  default     = 63072000

  validation {
    condition     = var.hsts_max_age_seconds >= 31536000
    error_message = "The preload list takes no domain below 31536000 seconds (a year)."
  }
}

variable "labels" {
  description = "Labels of everything that takes labels."
  type        = map(string)
  default     = {}
}

variable "log_sample_rate" {
  description = "Share of requests that the load balancer logs, 0 to 1. Service levels are counted from these logs, so below 1 they are estimates."
  type        = number
  default     = 1

  validation {
    condition     = var.log_sample_rate > 0 && var.log_sample_rate <= 1
    error_message = "The rate is above 0 and at most 1."
  }
}

variable "most_body_bytes" {
  description = "Requests that announce more bytes than this get 403 at the edge. The functions hold tighter limits, route by route."
  type        = number
  default     = 33554432

  validation {
    condition     = var.most_body_bytes >= 1048576 && var.most_body_bytes <= 33554432
    error_message = "Between 1 MiB and 32 MiB: Cloud Run takes no HTTP/1 request above that."
  }
}

variable "name" {
  description = "Beginning of the names of everything in this module."
  type        = string
  default     = "driftwise"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "A name has 2 to 31 lower-case letters, digits and hyphens and begins with a letter."
  }
}

variable "paths" {
  description = "Public paths as `infra/suite.yaml` has them: function to path template to methods. Parameters stand in braces."
  type        = map(map(list(string)))

  validation {
    condition     = alltrue(flatten([for paths in values(var.paths) : [for path in keys(paths) : !startswith(path, "/_")]]))
    error_message = "Paths below /_ are for the queue, the scheduler and probes; the edge must not serve them."
  }

  validation {
    condition = alltrue(flatten([
      for paths in values(var.paths) : [for path in keys(paths) : length(regexall("\\{", path)) <= 5]
    ]))
    error_message = "A path template of a URL map has at most five parameters."
  }
}

variable "project_id" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "rate_limits" {
  description = "Requests per client address. `authentication` counts the paths of `authentication_path_prefixes`, `overall` all others; who goes on ten times over is banned for a while. The functions' own limit of sign-ins is 60: whoever is just too fast hears from them when to try again, and floods end here."
  type = object({
    authentication_per_minute = optional(number, 120)
    ban_factor                = optional(number, 10)
    ban_seconds               = optional(number, 600)
    overall_per_minute        = optional(number, 3000)
  })
  default  = {}
  nullable = false

  validation {
    condition = (
      var.rate_limits.authentication_per_minute >= 10
      && var.rate_limits.authentication_per_minute < var.rate_limits.overall_per_minute
    )
    error_message = "Authentication paths take at least 10 requests per minute, and fewer than all paths together."
  }

  validation {
    condition     = var.rate_limits.ban_factor >= 2 && var.rate_limits.ban_seconds >= 60 && var.rate_limits.ban_seconds <= 3600
    error_message = "The ban factor is 2 or more, a ban lasts 60 to 3600 seconds."
  }
}

variable "region" {
  description = "Region of the Cloud Run services."
  type        = string
}

variable "services" {
  description = "Cloud Run service of each function that has public paths: function to service name. Services of the queue and the scheduler do not belong here."
  type        = map(string)

  validation {
    condition     = length(var.services) > 0
    error_message = "The edge needs at least one service."
  }
}

variable "tls_profile" {
  description = "Cipher suites of the edge: MODERN, or RESTRICTED where a compliance regime asks for it. TLS 1.2 is the least in both."
  type        = string
  default     = "RESTRICTED"

  validation {
    condition     = contains(["MODERN", "RESTRICTED"], var.tls_profile)
    error_message = "The profile is MODERN or RESTRICTED."
  }
}

variable "waf" {
  description = "Cloud Armor's preconfigured rule sets. In preview they are logged and refuse nothing: read the log first, then set `preview` to false. `unread_path_prefixes` take text that looks like an attack by nature: plans, states, payloads of webhooks, what Google says of resources."
  type = object({
    preview              = optional(bool, true)
    rule_sets            = optional(list(string), ["sqli-v33-stable", "xss-v33-stable", "lfi-v33-stable", "rfi-v33-stable", "rce-v33-stable", "scannerdetection-v33-stable", "protocolattack-v33-stable", "sessionfixation-v33-stable", "cve-canary"])
    sensitivity          = optional(number, 1)
    unread_path_prefixes = optional(list(string), ["/webhooks/", "/api/v2/asset-feeds/"])
    unread_path_endings  = optional(list(string), ["/analyze", "/state", "/custom-rules", "/custom-rules/test", "/policy"])
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.waf.sensitivity >= 1 && var.waf.sensitivity <= 4 && length(var.waf.rule_sets) > 0
    error_message = "The sensitivity is 1 to 4, and at least one rule set is named."
  }

  validation {
    condition     = alltrue([for set in var.waf.rule_sets : can(regex("^[a-z0-9-]+$", set))])
    error_message = "A rule set is named by lower-case letters, digits and hyphens."
  }

  validation {
    condition = alltrue([
      for part in concat(var.waf.unread_path_prefixes, var.waf.unread_path_endings) : can(regex("^/[A-Za-z0-9/_-]+$", part))
    ])
    error_message = "A part of a path begins with a slash and has letters, digits, slashes, hyphens and underscores only."
  }
}
