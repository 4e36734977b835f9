# Secrets and who reads them. Their values are no business of Terraform: they would stand in its state. The tool infra.rotate.secret_version adds
# versions, the first one too, and what reads a secret always finds the newest by itself. Once a year Secret Manager gives notice: a function
# then adds a version to the secrets that are random.

locals {
  day_seconds = 86400

  grants = merge([
    for secret, members in var.readers : {
      for function, member in members : "${secret} ${function}" => { secret = secret, member = member }
    }
  ]...)

  rotators = merge([
    for secret, members in var.rotators : {
      for function, member in members : "${secret} ${function}" => { secret = secret, member = member }
    }
  ]...)
}

resource "google_secret_manager_secret" "this" {
  for_each = var.secrets

  project             = var.project_id
  secret_id           = each.key
  version_destroy_ttl = "${var.version_destroy_days * local.day_seconds}s"
  deletion_protection = true

  replication {
    user_managed {
      dynamic "replicas" {
        for_each = var.replicas

        content {
          location = replicas.key

          customer_managed_encryption {
            kms_key_name = replicas.value
          }
        }
      }
    }
  }

  rotation {
    rotation_period    = "${var.rotation_days * local.day_seconds}s"
    next_rotation_time = timeadd(plantimestamp(), "${var.rotation_days * 24}h")
  }

  topics {
    name = var.rotation_topic_id
  }

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [rotation[0].next_rotation_time] # Secret Manager moves it on
  }
}

resource "google_secret_manager_secret_iam_member" "readers" {
  for_each = local.grants

  project   = var.project_id
  secret_id = google_secret_manager_secret.this[each.value.secret].secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value.member
}

# Adding a version does not include reading one.
resource "google_secret_manager_secret_iam_member" "rotators" {
  for_each = local.rotators

  project   = var.project_id
  secret_id = google_secret_manager_secret.this[each.value.secret].secret_id
  role      = "roles/secretmanager.secretVersionAdder"
  member    = each.value.member
}

# Functions ask which version is the newest; neither reading nor adding one includes that.
resource "google_secret_manager_secret_iam_member" "viewers" {
  for_each = merge(local.grants, local.rotators)

  project   = var.project_id
  secret_id = google_secret_manager_secret.this[each.value.secret].secret_id
  role      = "roles/secretmanager.viewer"
  member    = each.value.member
}
