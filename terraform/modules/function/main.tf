# One function: its services on Cloud Run, from one image that is named by its digest.

locals {
  services = {
    for entry_point, found in var.entry_points : entry_point => merge(found, {
      name     = "${var.name}-${found.service}"
      address  = "https://${var.name}-${found.service}-${var.project_number}.${var.region}.run.app"
      revision = "${var.name}-${found.service}-${substr(sha256(jsonencode([var.image, found, var.environment, var.secret_environment])), 0, 10)}"
    })
  }

  # What the Functions Framework of the image reads, and what tells the process who it is.
  environments = {
    for entry_point, service in local.services : entry_point => merge(
      var.environment,
      {
        CLOUD_RUN_TIMEOUT_SECONDS = tostring(service.timeout_seconds)
        DW_ENTRY_POINT            = entry_point
        FUNCTION_SIGNATURE_TYPE   = "http"
        FUNCTION_TARGET           = entry_point
        THREADS                   = tostring(service.concurrency)
      },
      service.pool_connections > 0 ? { DW_POOL_SIZE = tostring(service.pool_connections) } : {},
      service.trigger == "events" ? { DW_EVENTS_AUDIENCE = service.address, DW_EVENTS_SENDER = var.events_caller } : {},
    )
  }

  # Calls go to the revision that serves now and to the new one; to the new one alone where there is no other, or the canary is through.
  traffic = {
    for entry_point, service in local.services : entry_point => (
      contains(["", service.revision], lookup(var.stable_revisions, service.name, "")) || var.canary_percent == 100
      ? { (service.revision) = 100 }
      : { (service.revision) = var.canary_percent, (var.stable_revisions[service.name]) = 100 - var.canary_percent }
    )
  }
}

resource "google_cloud_run_v2_service" "this" {
  for_each = local.services

  project             = var.project_id
  location            = var.region
  name                = each.value.name
  deletion_protection = true

  # The load balancer, or the queue and the scheduler of this project; nobody else reaches the service at all.
  ingress = each.value.trigger == "http" ? "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" : "INGRESS_TRAFFIC_INTERNAL_ONLY"

  # The load balancer has no identity to show, and callers show theirs to the function. A grant to allUsers would say the same to everybody
  # who reads the project's rights, and the organisation may forbid it.
  invoker_iam_disabled = each.value.trigger == "http"

  custom_audiences = each.value.trigger == "events" ? [each.value.address] : null

  binary_authorization {
    use_default = true
  }

  template {
    revision                         = each.value.revision
    service_account                  = var.service_account
    encryption_key                   = var.kms_key_id
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    max_instance_request_concurrency = each.value.concurrency
    timeout                          = "${each.value.timeout_seconds}s"

    scaling {
      min_instance_count = each.value.trigger == "http" ? var.min_instances : 0
      max_instance_count = each.value.max_instances
    }

    vpc_access {
      egress = "ALL_TRAFFIC"

      network_interfaces {
        network    = var.network.network_id
        subnetwork = var.network.subnet_id
        tags       = var.network.tags
      }
    }

    containers {
      image = var.image

      resources {
        cpu_idle          = true
        startup_cpu_boost = true

        limits = {
          cpu    = tostring(each.value.cpu)
          memory = "${each.value.memory_mib}Mi"
        }
      }

      dynamic "env" {
        for_each = local.environments[each.key]

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secret_environment

        content {
          name = env.key

          value_source {
            secret_key_ref {
              secret  = env.value.id
              version = env.value.version
            }
          }
        }
      }

      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 30

        http_get {
          path = "/_health"
        }
      }

      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 5
        failure_threshold = 3

        http_get {
          path = "/_health"
        }
      }
    }
  }

  dynamic "traffic" {
    for_each = local.traffic[each.key]

    content {
      type     = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
      revision = traffic.key
      percent  = traffic.value
    }
  }
}

resource "google_cloud_run_v2_service_iam_member" "events" {
  for_each = { for entry_point, service in local.services : entry_point => service if service.trigger == "events" }

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.this[each.key].name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${var.events_caller}"
}

resource "google_cloud_run_v2_service_iam_member" "deployer" {
  for_each = local.services

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.this[each.key].name
  role     = "roles/run.developer"
  member   = var.deployer_member
}
