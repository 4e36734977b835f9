"""Reports about the policy, from a real browser to the log."""

from __future__ import annotations

import pytest

from tests.support.chromium import open_page
from tests.support.running_suite import RunningSuite
from tests.support.waiting import wait_until

_SECONDS = 90.0  # a browser sends its reports in batches, up to a minute after the first


def test_a_browser_reports_what_the_policy_stopped(emulator: RunningSuite) -> None:
    if not emulator.log_files():
        pytest.skip("the logs of this suite are not at hand")
    with open_page() as page:
        page.goto(emulator.url + "/")
        page.evaluate("() => { const image = new Image(); image.src = 'https://elsewhere.example/pixel.png?of=mine'; }")
        wait_until(lambda: reported(emulator), "no report reached the log", timeout_seconds=_SECONDS)
    line = reported(emulator)[0]
    assert '"img-src"' in line
    assert '"https://elsewhere.example"' in line
    assert "of=mine" not in line


def reported(emulator: RunningSuite) -> list[str]:
    lines = (line for file in emulator.log_files() for line in file.read_text("utf-8", "replace").splitlines())
    return [line for line in lines if "content security policy violated" in line]
