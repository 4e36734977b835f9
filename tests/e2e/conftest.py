"""Journeys over HTTP, through one running suite."""

from tests.support.running_suite import emulator

__all__ = ["emulator"]
