"""Sessions of boto3 that share one copy of what botocore knows about AWS.

Owns the loader of API models and endpoint rules. Each session loads its own otherwise: with clients of every service that is some
hundred megabytes and seconds of work for each account that a worker is signed in to. Imported with the first sign-in only, because
it loads boto3.
"""

from __future__ import annotations

import threading
from functools import cache

import boto3
import botocore.session
from botocore.loaders import Loader

_LOCK = threading.Lock()


@cache
def _loader() -> Loader:
    return Loader()


def new_session(access_key_id: str | None = None, secret: str | None = None, token: str | None = None) -> boto3.Session:
    """Return a session with these credentials, or with those of this process when none are given.

    Args:
        access_key_id: of a key.
        secret: of the same key.
        token: of temporary credentials.
    """
    core = botocore.session.get_session()
    with _LOCK:
        loader = _loader()
        places = list(loader.search_paths)
        core.register_component("data_loader", loader)
        session = boto3.Session(
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret,
            aws_session_token=token,
            botocore_session=core,
        )
        loader.search_paths[:] = places  # every session appends a place of its own, which clients need not
    return session
