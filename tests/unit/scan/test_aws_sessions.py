"""What a sign-in to AWS costs a worker: one copy of the API models for all accounts, and a bounded number of clients."""

from __future__ import annotations

from typing import Any, cast
from unittest.mock import MagicMock

from functions.scan.readers.aws import session
from functions.scan.readers.aws.api_models import new_session
from functions.scan.readers.aws.session import AwsAccount, Login


def loader_of(found: Any) -> Any:
    return found._session.get_component("data_loader")


def test_every_account_shares_one_copy_of_the_api_models() -> None:
    one, other = new_session("a" * 16, "b" * 20), new_session("c" * 16, "d" * 20, "token")
    assert loader_of(one) is loader_of(other)
    models = [loader_of(found).load_service_model("sts", "service-2") for found in (one, other)]
    assert models[0] is models[1]


def test_a_sign_in_leaves_nothing_behind_in_what_is_shared() -> None:
    places = list(loader_of(new_session()).search_paths)
    for _ in range(3):
        new_session("a" * 16, "b" * 20)
    assert loader_of(new_session()).search_paths == places


def test_credentials_are_not_shared() -> None:
    one, other = new_session("a" * 16, "b" * 20), new_session("c" * 16, "d" * 20, "token")
    found = [
        (item.access_key, item.secret_key, item.token) for item in (one.get_credentials(), other.get_credentials())
    ]
    assert found == [("a" * 16, "b" * 20, None), ("c" * 16, "d" * 20, "token")]


def test_an_account_of_many_regions_holds_a_bounded_number_of_clients() -> None:
    made = MagicMock(side_effect=lambda *_names, **_options: MagicMock())
    account = AwsAccount(Login("1"), cast("Any", MagicMock(client=made)), "arn:aws:sts::1:assumed-role/x/y")
    most = session._MOST_CLIENTS
    first = account.client("ec2", "region-0")
    assert account.client("ec2", "region-0") is first
    for number in range(1, most + 5):
        account.client("ec2", f"region-{number}")
    assert len(account._clients) == most
    assert account.client("ec2", f"region-{most + 4}") is account.client("ec2", f"region-{most + 4}")
    assert account.client("ec2", "region-0") is not first, "the oldest one was not let go"
