"""One copy of `terraform/` for all of these tests, and one apply of the example environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.suite import Suite, load_suite
from tests.support.terraform import Applied, Copy, is_schema_only, why_no_terraform


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy in which Terraform can run."""
    if reason := why_no_terraform():
        pytest.skip(reason)
    return Copy(Path(tmp_path_factory.mktemp("terraform")))


@pytest.fixture(scope="session")
def example(copy: Copy) -> Applied:
    """The example environment on an empty project."""
    if not is_schema_only():
        pytest.skip("the Google provider is the real one: an apply would ask Google")
    return Applied(copy)


@pytest.fixture(scope="session")
def suite() -> Suite:
    """The description of the suite."""
    return load_suite()
