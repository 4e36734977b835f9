"""Conformance suites: each runs over a list, so that what is new joins by itself."""

from tests.support.running_suite import emulator

__all__ = ["emulator"]
