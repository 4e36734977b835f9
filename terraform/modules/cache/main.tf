# Memorystore for Redis: where the rate limiter counts. It holds counters that are worthless after a minute, so nothing of it is backed up.

resource "google_redis_instance" "this" {
  project                 = var.project_id
  region                  = var.region
  name                    = var.name
  display_name            = "Rate limiter of ${var.name}"
  tier                    = var.high_availability ? "STANDARD_HA" : "BASIC"
  memory_size_gb          = var.memory_gib
  redis_version           = "REDIS_7_2"
  connect_mode            = "PRIVATE_SERVICE_ACCESS"
  authorized_network      = var.network_id
  reserved_ip_range       = var.private_services_range_name
  auth_enabled            = true
  transit_encryption_mode = "SERVER_AUTHENTICATION"
  customer_managed_key    = var.kms_key_id

  redis_configs = {
    maxmemory-policy = "volatile-ttl"
  }

  maintenance_policy {
    weekly_maintenance_window {
      day = "SUNDAY"

      start_time {
        hours = 3
      }
    }
  }
}

# The address has the server's password in it. Google makes that and tells it as an attribute, so it stands in the state of Terraform;
# it opens counters alone, and only from inside the network.
resource "google_secret_manager_secret" "url" {
  project   = var.project_id
  secret_id = "${var.name}-redis-url"

  replication {
    user_managed {
      replicas {
        location = var.region

        customer_managed_encryption {
          kms_key_name = var.secret_kms_key_id
        }
      }
    }
  }
}

resource "google_secret_manager_secret_version" "url" {
  secret                 = google_secret_manager_secret.url.id
  secret_data_wo         = "rediss://:${google_redis_instance.this.auth_string}@${google_redis_instance.this.host}:${google_redis_instance.this.port}/0"
  secret_data_wo_version = 1
}

resource "google_secret_manager_secret_iam_member" "readers" {
  for_each = var.readers

  project   = var.project_id
  secret_id = google_secret_manager_secret.url.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value
}
