variable "deployer_member" {
  description = "Member that may change and run the job."
  type        = string
}

variable "domain" {
  description = "Host name under which customers reach the suite."
  type        = string
}

variable "every_minutes" {
  description = "How often the journey is taken, in minutes."
  type        = number
  default     = 10

  validation {
    condition     = contains([5, 10, 15, 20, 30], var.every_minutes)
    error_message = "Every 5, 10, 15, 20 or 30 minutes."
  }
}

variable "image" {
  description = "Image of the journey, by its digest."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+-docker\\.pkg\\.dev/[a-z0-9-]+/[a-z0-9-]+/[a-z0-9/_-]+@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest; a tag may be another image tomorrow."
  }
}

variable "kms_key_id" {
  description = "Key that the image's copy and the instance's disk are encrypted under."
  type        = string
}

variable "name" {
  description = "What the job's name begins with."
  type        = string
}

variable "network" {
  description = "Where the job reaches the edge from; without a tag that lets it out to the internet."
  type = object({
    network_id = string
    subnet_id  = string
  })
}

variable "project_id" {
  description = "Project that the job lives in."
  type        = string
}

variable "region" {
  description = "Region of the job."
  type        = string
}

variable "secret_id" {
  description = "The secret that holds the API key of the synthetic organisation."
  type        = string
}

variable "service_account" {
  description = "Account that the job acts as; it has no other right."
  type = object({
    email  = string
    member = string
  })
}

variable "starter" {
  description = "Account that the scheduler starts the job as."
  type = object({
    email  = string
    member = string
  })
}

variable "timeout_seconds" {
  description = "How long a journey may take, in seconds; shorter than the time between two."
  type        = number
  default     = 290

  validation {
    condition     = var.timeout_seconds >= 60 && var.timeout_seconds < 300
    error_message = "A journey ends before the next one may begin."
  }
}
