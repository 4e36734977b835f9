# What an operator says about the public side and about who hears of trouble.

variable "additional_domains" {
  description = "Further host names that the suite answers to."
  type        = list(string)
  default     = []
}

variable "bot_management" {
  description = "Whether browsers pass a challenge before they sign in; in preview it is counted and not asked."
  type = object({
    browser_paths = optional(list(string), ["/auth/login", "/device"])
    enabled       = optional(bool, true)
    preview       = optional(bool, true)
  })
  default = {}
}

variable "denied_networks" {
  description = "Networks in CIDR notation that are shut out."
  type        = list(string)
  default     = []
}

variable "dns_zone" {
  description = "Whether to make a public zone for the domain; otherwise the output `dns_records` says what to enter elsewhere."
  type        = bool
  default     = false
}

variable "domain" {
  description = "Host name under which customers reach the suite."
  type        = string
}

variable "journey" {
  description = "How often the customer's journey is taken with the key of a synthetic organisation, in minutes; null until that exists (runbook journey-failed)."
  type        = object({ every_minutes = optional(number, 10) })
  default     = null
}

variable "notification_emails" {
  description = "Addresses that alerts go to."
  type        = list(string)
}

variable "rate_limits" {
  description = "Requests per client address and minute at the edge, and how long who goes far beyond is banned (seconds)."
  type = object({
    authentication_per_minute = optional(number, 120)
    ban_factor                = optional(number, 10)
    ban_seconds               = optional(number, 600)
    overall_per_minute        = optional(number, 3000)
  })
  default = {}
}

variable "runbook_base_url" {
  description = "Where the pages of infra/runbooks are read, without a trailing slash."
  type        = string
}

variable "waf_preview" {
  description = "Whether the edge's rule sets only log what they would refuse; read the log for a week, then set it to false."
  type        = bool
  default     = true
}
