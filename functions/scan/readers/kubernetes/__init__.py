"""Kubernetes is read by the report of an operator in the cluster."""
