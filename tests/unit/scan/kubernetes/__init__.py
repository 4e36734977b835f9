"""Kubernetes: the mapping, the reader and what operators report."""
