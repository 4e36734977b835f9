"""One copy of `terraform/` and one process of each provider for all of these tests, and one apply of the example environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.suite import Suite, load_suite
from tests.support.terraform import Applied, Copy, is_schema_only, providers_kept, why_no_terraform


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A copy in which Terraform can run."""
    if reason := why_no_terraform():
        pytest.skip(reason)
    with providers_kept() as told:
        yield Copy(Path(tmp_path_factory.mktemp("terraform")), told)


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
