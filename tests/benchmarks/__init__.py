"""Measurements: ratios against something run beside it, in the same run. Never part of the tests."""
