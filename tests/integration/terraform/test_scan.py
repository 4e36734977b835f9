"""checkov has nothing to say that the code does not answer."""

from __future__ import annotations

import re

import pytest

from infra.supply_chain.scanners.infrastructure import CHECKOV
from tests.support.terraform import SOURCES, Applied, Copy

from .scan import scan_code, scan_plan

needs_checkov = pytest.mark.skipif(
    not CHECKOV.is_installed(), reason="checkov is not there: `make terraform-scan` installs it"
)


@needs_checkov
def test_no_check_fails_on_the_code() -> None:
    findings, passed = scan_code()
    assert findings == []
    assert passed > 0


@needs_checkov
def test_no_check_fails_on_the_plan(copy: Copy, example: Applied) -> None:
    findings, passed = scan_plan(example, copy.root)
    assert findings == []
    assert passed > 0


def test_whoever_skips_a_check_says_why() -> None:
    for path in SOURCES.rglob("*.tf"):
        for skipped in re.findall(r"checkov:skip=(.*)", path.read_text("utf-8")):
            assert re.fullmatch(r"CKV2?_[A-Z]+_[0-9]+:.{20,}", skipped), f"{path}: {skipped}"
