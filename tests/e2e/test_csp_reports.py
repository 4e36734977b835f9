"""Reports about the policy, from a real browser to the log.

Browsers send reports by the Reporting API (`report-to`) over TLS only, which ends before this suite: so the browser is made one that
does not know it, and sends them to `report-uri`, in the older form. The newer form is the unit tests' business.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Route

from tests.support.chromium import open_page
from tests.support.running_suite import RunningSuite
from tests.support.waiting import wait_until


def test_a_browser_reports_what_the_policy_stopped(emulator: RunningSuite) -> None:
    if not emulator.log_files():
        pytest.skip("the logs of this suite are not at hand")
    with open_page() as page:
        page.route(emulator.url + "/", without_reporting_api)
        page.goto(emulator.url + "/")
        page.evaluate("() => { const image = new Image(); image.src = 'https://elsewhere.example/pixel.png?of=mine'; }")
        wait_until(lambda: reported(emulator), "no report reached the log")
    line = reported(emulator)[0]
    assert '"img-src"' in line
    assert '"https://elsewhere.example"' in line
    assert "of=mine" not in line


def without_reporting_api(route: Route) -> None:
    """Hand a page over as a browser sees it that does not know `report-to`."""
    response = route.fetch()
    policy = response.headers["content-security-policy"]
    assert "report-to csp; " in policy
    route.fulfill(
        response=response,
        headers={**response.headers, "content-security-policy": policy.replace("report-to csp; ", "")},
    )


def reported(emulator: RunningSuite) -> list[str]:
    lines = (line for file in emulator.log_files() for line in file.read_text("utf-8", "replace").splitlines())
    return [line for line in lines if "content security policy violated" in line]
