variable "ci" {
  description = <<-EOT
    Who may act from a CI system, by the attributes that the pool of terraform/bootstrap maps: `builder` builds and signs images (the main
    branch), `deployer` rolls them out (the protected environment). Each a list of principal sets; empty until the pool exists.
  EOT
  type = object({
    builder  = optional(set(string), [])
    deployer = optional(set(string), [])
  })
  default = {}

  validation {
    condition = alltrue([
      for member in setunion(var.ci.builder, var.ci.deployer) : can(regex("^principalSet://iam\\.googleapis\\.com/projects/[0-9]+/locations/global/workloadIdentityPools/[a-z0-9-]+/attribute\\.[a-z_]+/.+$", member))
    ])
    error_message = "Name principal sets by one attribute; a whole pool would let in everybody whom the CI system vouches for."
  }
}

variable "functions" {
  description = "Functions; each gets an account of its own."
  type        = set(string)

  validation {
    condition     = alltrue([for function in var.functions : can(regex("^[a-z][a-z0-9_]*$", function))])
    error_message = "A function's name has lower-case letters, digits and underscores."
  }
}

variable "name" {
  description = "What the accounts' names begin with."
  type        = string

  validation {
    condition     = length(var.name) <= 18
    error_message = "An account's name has at most 30 characters."
  }
}

variable "project_id" {
  description = "Project that the accounts live in."
  type        = string
}
