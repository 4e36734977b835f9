output "role_arn" {
  description = "ARN of the role: what you give DriftWise as `role_arn`, or as `through` for a hub."
  value       = aws_iam_role.driftwise.arn
}
