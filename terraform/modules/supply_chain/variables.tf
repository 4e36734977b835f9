variable "artifacts_kms_key_id" {
  description = "KMS key that encrypts images; Artifact Registry's service agent may use it already."
  type        = string
}

variable "builder_member" {
  description = "Who builds, pushes and signs images, as an IAM member: CI's build job."
  type        = string
}

variable "deployer_member" {
  description = "Who rolls images out, as an IAM member: CI's deploy job. It can neither push nor sign."
  type        = string

  validation {
    condition     = var.deployer_member != var.builder_member
    error_message = "Who deploys must not be who signs: otherwise the signature proves nothing."
  }
}

variable "kept_versions" {
  description = "How many versions of each image are kept however old they are: as far back as one may roll back."
  type        = number
  default     = 30

  validation {
    condition     = var.kept_versions >= 5
    error_message = "Keep at least five versions."
  }
}

variable "key_protection_level" {
  description = "Where the signing key lives: SOFTWARE, or HSM for a few dollars a month more."
  type        = string
  default     = "SOFTWARE"

  validation {
    condition     = contains(["SOFTWARE", "HSM"], var.key_protection_level)
    error_message = "The level is SOFTWARE or HSM."
  }
}

variable "kms_key_ring_id" {
  description = "Key ring that the signing key is made in: projects/…/locations/…/keyRings/…"
  type        = string
}

variable "labels" {
  description = "Labels of everything that takes labels."
  type        = map(string)
  default     = {}
}

variable "name" {
  description = "Name of the repository and beginning of all other names."
  type        = string
  default     = "driftwise"
}

variable "project_id" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "reader_members" {
  description = "Who else pulls images, by name: Cloud Run's service agent."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for member in values(var.reader_members) : startswith(member, "serviceAccount:")])
    error_message = "Only service accounts pull images."
  }
}

variable "region" {
  description = "Region of the repository."
  type        = string
}

variable "trusted_image_patterns" {
  description = "Images that run without an attestation, e.g. a vendor's collector beside a function: by digest, from named repositories. Empty is best."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for pattern in var.trusted_image_patterns : can(regex("^[a-z0-9.-]+/[^*]+@sha256:[0-9a-f]{64}$", pattern))])
    error_message = "An exemption names one image by its digest; no wildcards."
  }
}

variable "untagged_days" {
  description = "After how many days an image without a tag is deleted."
  type        = number
  default     = 14

  validation {
    condition     = var.untagged_days >= 1
    error_message = "At least a day."
  }
}

variable "vulnerability_scanning" {
  description = "Whether images are scanned as they are pushed, and again as new vulnerabilities become known."
  type        = bool
  default     = true
}
