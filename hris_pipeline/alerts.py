"""Where news goes: alerts through Apprise, and the heartbeat that tells an outside monitor of a
good night.

Both take resolved URLs, which hold secrets: no error and no log line repeats one. What is sent is
for the caller to keep free of personal data.
"""

import logging
from collections.abc import Sequence

import apprise

from hris_pipeline.errors import PipelineError
from hris_pipeline.http import Client, RateLimiter, RetryPolicy, Unanswered

logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its warnings quote URLs
# what Apprise sends with: its DEBUG and WARNING lines quote paths
logging.getLogger("urllib3").setLevel(logging.ERROR)

_ASSET = apprise.AppriseAsset(
    app_id="hris_pipeline",
    app_desc="hris_pipeline",
    storage_mode=apprise.PersistentStoreMode.MEMORY,
    async_mode=False,
)


def send(urls: Sequence[str], title: str, body: str) -> None:
    """Send one message in plain text to each of ``urls`` (Apprise notation).

    All are tried; a :class:`~hris_pipeline.errors.PipelineError` then says how many failed, and
    which by their place in the list.
    """
    failed = []
    for place, url in enumerate(urls, 1):
        service = _service(url)
        if service is None:
            failed.append(f"{place} (not in Apprise notation)")
        elif not apprise.Apprise(service, asset=_ASSET).notify(
            body, title, body_format=apprise.NotifyFormat.TEXT
        ):
            failed.append(f"{place} (not delivered)")
    if failed:
        raise PipelineError(
            f"An alert did not reach {len(failed)} of {len(urls)} addresses: number "
            f"{', '.join(failed)}. Nothing else was stopped by this. Look at alerts in the "
            "company file, and at the service's own log."
        )


def is_understood(url: str) -> bool:
    """Whether Apprise knows where a URL would take a message; nothing is sent."""
    return _service(url) is not None


def _service(url: str) -> apprise.NotifyBase | None:
    service = apprise.Apprise.instantiate(url, asset=_ASSET, suppress_exceptions=True)
    return service if isinstance(service, apprise.NotifyBase) else None


def call_heartbeat(url: str, patience: RetryPolicy | None = None) -> None:
    """Call a monitor's URL after a good night; anything but a 2xx answer is a
    :class:`~hris_pipeline.errors.PipelineError`.
    """
    patience = patience or RetryPolicy(tries=3, longest_wait=5, longest_retry_after=10, in_all=30)
    with Client(RateLimiter(None), timeout=10, patience=patience) as client:
        try:
            response = client.ask("GET", url)
        except Unanswered as problem:
            why = str(problem)
        else:
            why = "" if response.is_success else f"it answered {response.status_code}"
    if why:
        raise PipelineError(
            f"The heartbeat could not be delivered: {why}. The night itself went well. Look at "
            "heartbeat_url."
        )
