variable "database" {
  description = "Where migrations are applied: connection name of the instance, database, name to log in as."
  type = object({
    connection_name = string
    name            = string
    user            = string
  })
}

variable "deployer_member" {
  description = "Member that may run the job."
  type        = string
}

variable "image" {
  description = "Image with the migrations, by its digest."
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

variable "logins" {
  description = "Login role of the database to the name that its function logs in as."
  type        = map(string)
}

variable "name" {
  description = "What the job's name begins with."
  type        = string
}

variable "network" {
  description = "Where the job reaches the database from."
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

variable "service_account" {
  description = "E-mail address of the account that the job acts as."
  type        = string
}
