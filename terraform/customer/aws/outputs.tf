output "role_arn" {
  description = "ARN of the role: what you give DriftWise as `role_arn`."
  value       = aws_iam_role.driftwise.arn
}
