variable "edge_addresses" {
  description = "Public addresses of the suite's own load balancer (IPv4): functions fetch the suite's token keys there."
  type        = list(string)
  default     = []
}

variable "internet_ports" {
  description = "TCP ports that functions with the internet tag may call: TLS, and a mail server's where there is one."
  type        = set(number)
  default     = [443]

  validation {
    condition     = alltrue([for port in var.internet_ports : contains([443, 465, 587], port)])
    error_message = "Only TLS (443) and the submission of mail (465, 587) go out."
  }
}

variable "name" {
  description = "What names begin with."
  type        = string
}

variable "nat_addresses" {
  description = "How many static addresses calls to the internet come from: customers may allow-list them. Each serves about 64,000 connections to one destination."
  type        = number
  default     = 1

  validation {
    condition     = var.nat_addresses >= 1 && var.nat_addresses <= 16
    error_message = "Take 1 to 16 addresses."
  }
}

variable "private_services_range" {
  description = "IPv4 range that Cloud SQL and Memorystore take their addresses from."
  type        = string
  default     = "10.64.0.0/20"

  validation {
    condition     = can(cidrhost(var.private_services_range, 0)) && tonumber(split("/", var.private_services_range)[1]) <= 24
    error_message = "Give a range in CIDR form, of at least 256 addresses."
  }
}

variable "project_id" {
  description = "Project that the network lives in."
  type        = string
}

variable "region" {
  description = "Region of the subnet, e.g. europe-west4."
  type        = string
}

variable "subnet_range" {
  description = "IPv4 range of the functions' instances; an instance takes two addresses while revisions change."
  type        = string
  default     = "10.32.0.0/22"

  validation {
    condition     = can(cidrhost(var.subnet_range, 0)) && tonumber(split("/", var.subnet_range)[1]) <= 26
    error_message = "Give a range in CIDR form, of at least 64 addresses: Cloud Run takes no smaller one."
  }
}
