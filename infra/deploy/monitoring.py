"""How many calls each revision answered, from Cloud Monitoring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from infra.google_session import open_session

from .canary import Calls

_URL = "https://monitoring.googleapis.com/v3/projects/{project}/timeSeries"
_SCOPE = "https://www.googleapis.com/auth/monitoring.read"
_SECONDS = 10.0
_MOST_PAGES = 50


class CloudMonitoring:
    """Cloud Monitoring's lists of time series.

    Source: https://cloud.google.com/monitoring/api/metrics_gcp#gcp-run (`run.googleapis.com/request_count`)
    """

    def __init__(self, project: str, session: Any = None) -> None:
        """Set up.

        Args:
            project: project id.
            session: makes the calls (google.auth is untyped); the process's own identity when None.
        """
        self._url = _URL.format(project=project)
        self._session = session

    def calls(self, since: datetime, now: datetime) -> dict[str, Calls]:
        """Count what each revision answered: revision to calls.

        Raises:
            OSError: Cloud Monitoring did not answer, or not with what was asked for.
        """
        params = {
            "filter": 'metric.type = "run.googleapis.com/request_count" AND resource.type = "cloud_run_revision"',
            "interval.startTime": since.isoformat(),
            "interval.endTime": now.isoformat(),
            "aggregation.alignmentPeriod": f"{max(60, int((now - since) / timedelta(seconds=1)))}s",
            "aggregation.perSeriesAligner": "ALIGN_DELTA",
        }
        found: defaultdict[str, Calls] = defaultdict(lambda: Calls(0, 0))
        for _ in range(_MOST_PAGES):
            page = self._page(params)
            for revision, calls in read_series(page).items():
                found[revision] += calls
            if not page.get("nextPageToken"):
                return dict(found)
            params["pageToken"] = str(page["nextPageToken"])
        raise OSError("Cloud Monitoring has no end of pages")

    def _page(self, params: Mapping[str, str]) -> Mapping[str, Any]:
        if self._session is None:
            self._session = open_session(_SCOPE)
        answer = self._session.get(self._url, params=params, timeout=_SECONDS)
        if answer.status_code != 200:
            raise OSError(f"Cloud Monitoring answered {answer.status_code}")
        page: Mapping[str, Any] = answer.json()
        return page


def read_series(page: Mapping[str, Any]) -> dict[str, Calls]:
    """Read one page of time series: revision to calls."""
    found: defaultdict[str, Calls] = defaultdict(lambda: Calls(0, 0))
    for series in page.get("timeSeries", ()):
        revision = str(series["resource"]["labels"]["revision_name"])
        is_failure = series["metric"]["labels"].get("response_code_class") == "5xx"
        count = sum(int(point["value"].get("int64Value", 0)) for point in series.get("points", ()))
        found[revision] += Calls(count, count if is_failure else 0)
    return dict(found)
