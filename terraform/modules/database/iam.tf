# Who may log in: the functions' accounts and the migrations job's, into this instance and no other. What they may do inside is granted by the
# migrations job, which makes each account a member of its function's login role.

locals {
  grants = merge([
    for name, email in var.users : {
      for role in ["roles/cloudsql.client", "roles/cloudsql.instanceUser"] : "${name} ${role}" => { email = email, role = role }
    }
  ]...)
}

resource "google_sql_user" "this" {
  for_each = var.users

  project         = var.project_id
  instance        = google_sql_database_instance.this.name
  name            = trimsuffix(each.value, ".gserviceaccount.com")
  type            = "CLOUD_IAM_SERVICE_ACCOUNT"
  deletion_policy = "ABANDON" # an account that owns tables cannot be dropped
}

resource "google_project_iam_member" "users" {
  for_each = local.grants

  project = var.project_id
  role    = each.value.role
  member  = "serviceAccount:${each.value.email}"

  condition {
    title       = "${var.name} only"
    description = "This instance, whichever others there may be."
    expression  = "resource.type == 'sqladmin.googleapis.com/Instance' && resource.name == 'projects/${var.project_id}/instances/${var.name}'"
  }
}
