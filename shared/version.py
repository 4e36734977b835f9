"""The version of the suite, as `pyproject.toml` has it: bundles carry no package metadata to read it from."""

from __future__ import annotations

VERSION = "0.1.0"
