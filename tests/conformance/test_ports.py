"""Every port has one contract, and every implementation keeps it: the one in memory and the Google one alike."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.api_core.exceptions import AlreadyExists
from google.cloud import kms_v1
from google.cloud.secretmanager_v1 import SecretPayload

from shared.ports.clock import Clock, Entropy, SystemClock, SystemEntropy
from shared.ports.errors import CiphertextRefused, ServiceAway, VersionUnusable
from shared.ports.key_manager import GoogleKeyManager, KeyManager, PublicKey
from shared.ports.object_store import GoogleObjectStore, ObjectStore
from shared.ports.queue import GoogleQueue, Message, Queue
from shared.ports.secret_rotation import GoogleSecretRotator, SecretRotator
from shared.ports.secret_store import GoogleSecretStore, Secret, SecretStore
from shared.settings import Settings
from shared.testing.clock import FakeClock, FixedEntropy
from shared.testing.key_manager import MemoryKeyManager
from shared.testing.object_store import MemoryObjectStore
from shared.testing.queue import MemoryQueue
from shared.testing.secret_rotation import MemorySecretRotator
from shared.testing.secret_store import MemorySecretStore
from tests.support.google_emulator import Emulator

PROJECT, REGION = "driftwise-local", "europe-west1"
LOCATION = f"projects/{PROJECT}/locations/{REGION}"
DIGEST = hashlib.sha256(b"what is signed").digest()
_numbers = count(1)
_Purpose = kms_v1.CryptoKey.CryptoKeyPurpose
_Algorithm = kms_v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    running = Emulator(tmp_path_factory.mktemp("google"))
    yield running
    assert running.stop() == 0, "the emulated Google services did not stop cleanly"


def google_settings(google: Emulator) -> Settings:
    ends = dict.fromkeys(("kms_endpoint", "secrets_endpoint", "pubsub_endpoint"), google.endpoint)
    return Settings(env="emulator", project=PROJECT, region=REGION, storage_endpoint=google.url, **ends)  # type: ignore[arg-type]


def fresh_name(kind: str) -> str:
    return f"{kind}-{next(_numbers)}"


# --- key manager -----------------------------------------------------------------------------------------------------


class KeyVault(Protocol):
    """A key manager, and the operator's side of it that a contract needs."""

    keys: KeyManager

    def add_signing_key(self, key: str) -> None: ...
    def add_wrapping_key(self, key: str) -> None: ...
    def disable_version(self, key: str, version: str) -> None: ...
    def away(self) -> AbstractContextManager[None]: ...


class MemoryVault:
    def __init__(self) -> None:
        self.keys = MemoryKeyManager()
        self.add_signing_key = self.keys.add_signing_key
        self.add_wrapping_key = self.keys.add_wrapping_key
        self.disable_version = self.keys.disable_version

    @contextmanager
    def away(self) -> Iterator[None]:
        self.keys.is_away = True
        yield
        self.keys.is_away = False


class GoogleVault:
    def __init__(self, google: Emulator) -> None:
        self._google = google
        self._client = google.kms()
        self._ring = f"{LOCATION}/keyRings/driftwise"
        self.keys = GoogleKeyManager(google_settings(google))
        with suppress(AlreadyExists):
            self._client.create_key_ring(parent=LOCATION, key_ring_id="driftwise", key_ring=kms_v1.KeyRing())

    def add_signing_key(self, key: str) -> None:
        self._add(key, _Purpose.ASYMMETRIC_SIGN, _Algorithm.EC_SIGN_P256_SHA256)

    def add_wrapping_key(self, key: str) -> None:
        version = self._add(key, _Purpose.ENCRYPT_DECRYPT, _Algorithm.GOOGLE_SYMMETRIC_ENCRYPTION)
        self._client.update_crypto_key_primary_version(
            name=f"{self._ring}/cryptoKeys/{key}", crypto_key_version_id=version
        )

    def disable_version(self, key: str, version: str) -> None:
        name = f"{self._ring}/cryptoKeys/{key}/cryptoKeyVersions/{version}"
        state = kms_v1.CryptoKeyVersion.CryptoKeyVersionState.DISABLED
        changed = kms_v1.CryptoKeyVersion(name=name, state=state)
        self._client.update_crypto_key_version(crypto_key_version=changed, update_mask={"paths": ["state"]})

    def away(self) -> AbstractContextManager[None]:
        return self._google.fault("kms", "unavailable")

    def _add(self, key: str, purpose: int, algorithm: int) -> str:
        made = kms_v1.CryptoKey(purpose=purpose, version_template={"algorithm": algorithm})
        try:
            self._client.create_crypto_key(parent=self._ring, crypto_key_id=key, crypto_key=made)
        except AlreadyExists:
            version = kms_v1.CryptoKeyVersion()
            name = f"{self._ring}/cryptoKeys/{key}"
            added = self._client.create_crypto_key_version(parent=name, crypto_key_version=version)
            return str(added.name.rsplit("/", 1)[1])
        return "1"


@pytest.fixture(params=["memory", "google"])
def vault(request: pytest.FixtureRequest) -> KeyVault:
    return MemoryVault() if request.param == "memory" else GoogleVault(request.getfixturevalue("google"))


def is_signed_by(public: PublicKey, signature: bytes) -> bool:
    key = load_pem_public_key(public.pem.encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    try:
        key.verify(signature, DIGEST, ec.ECDSA(Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True


def test_a_signature_is_checked_with_the_published_key_of_its_version(vault: KeyVault) -> None:
    key = fresh_name("signing")
    vault.add_signing_key(key)
    vault.add_signing_key(key)
    first, second = vault.keys.public_keys(key)
    assert [first.version, second.version] == ["1", "2"], "versions are not listed oldest first"
    signature = vault.keys.sign(key, second.version, DIGEST)
    assert is_signed_by(second, signature)
    assert not is_signed_by(first, signature), "the wrong version signed"


def test_a_disabled_version_is_not_published_and_signs_nothing(vault: KeyVault) -> None:
    key = fresh_name("signing")
    vault.add_signing_key(key)
    vault.add_signing_key(key)
    vault.disable_version(key, "1")
    assert [item.version for item in vault.keys.public_keys(key)] == ["2"]
    with pytest.raises(VersionUnusable):
        vault.keys.sign(key, "1", DIGEST)


def test_a_version_tells_when_it_was_made(vault: KeyVault) -> None:
    key = fresh_name("signing")
    before = SystemClock().now()
    vault.add_signing_key(key)
    between = SystemClock().now()
    vault.add_signing_key(key)
    first, second = vault.keys.public_keys(key)
    assert before <= first.made_at <= between <= second.made_at <= SystemClock().now()


def test_versions_are_listed_by_number_and_not_by_letter(vault: KeyVault) -> None:
    key = fresh_name("signing")
    for _ in range(11):
        vault.add_signing_key(key)
    assert [item.version for item in vault.keys.public_keys(key)] == [str(number) for number in range(1, 12)]


@pytest.mark.parametrize("plaintext", [b"\x00", bytes(32), bytes(range(256)) * 256], ids=["1", "32", "64 KiB"])
def test_what_was_wrapped_is_unwrapped_under_the_same_context_only(vault: KeyVault, plaintext: bytes) -> None:
    key, other = fresh_name("wrapping"), fresh_name("wrapping")
    vault.add_wrapping_key(key)
    vault.add_wrapping_key(other)
    wrapped = vault.keys.wrap(key, plaintext, context=b"row 1").ciphertext
    assert plaintext not in wrapped or len(plaintext) == 1
    assert vault.keys.unwrap(key, wrapped, context=b"row 1") == plaintext
    for name, context in ((key, b"row 2"), (key, b""), (other, b"row 1")):
        with pytest.raises(CiphertextRefused):
            vault.keys.unwrap(name, wrapped, context=context)


def test_a_changed_or_cut_ciphertext_is_refused(vault: KeyVault) -> None:
    key = fresh_name("wrapping")
    vault.add_wrapping_key(key)
    wrapped = vault.keys.wrap(key, b"a data key", context=b"c").ciphertext
    changed = [wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :] for place in range(len(wrapped))]
    for broken in (*changed, wrapped[:-1], wrapped[:5], wrapped + b"x"):
        with pytest.raises(CiphertextRefused):
            vault.keys.unwrap(key, broken, context=b"c")


def test_what_an_older_version_wrapped_is_still_unwrapped_after_a_rotation(vault: KeyVault) -> None:
    key = fresh_name("wrapping")
    vault.add_wrapping_key(key)
    old = vault.keys.wrap(key, b"old", context=b"c")
    vault.add_wrapping_key(key)
    new = vault.keys.wrap(key, b"new", context=b"c")
    assert (old.version, new.version) == (1, 2)
    assert vault.keys.unwrap(key, old.ciphertext, context=b"c") == b"old"
    assert vault.keys.unwrap(key, new.ciphertext, context=b"c") == b"new"
    vault.disable_version(key, "1")
    with pytest.raises(VersionUnusable):
        vault.keys.unwrap(key, old.ciphertext, context=b"c")
    assert vault.keys.unwrap(key, new.ciphertext, context=b"c") == b"new"


def test_nothing_is_wrapped_while_the_primary_version_is_disabled(vault: KeyVault) -> None:
    key = fresh_name("wrapping")
    vault.add_wrapping_key(key)
    vault.disable_version(key, "1")
    with pytest.raises(ServiceAway) as caught:
        vault.keys.wrap(key, b"x", context=b"")
    assert not isinstance(caught.value, VersionUnusable), "it would be taken for a ciphertext that cannot be read"


def test_a_vault_that_is_away_or_a_key_that_is_missing_is_a_503(vault: KeyVault) -> None:
    key = fresh_name("wrapping")
    vault.add_wrapping_key(key)
    with pytest.raises(ServiceAway):
        vault.keys.wrap("no-such-key", b"x", context=b"")
    with pytest.raises(ServiceAway):
        vault.keys.sign("no-such-key", "1", DIGEST)
    with pytest.raises(ServiceAway):
        vault.keys.public_keys("no-such-key")
    with vault.away(), pytest.raises(ServiceAway) as caught:
        vault.keys.wrap(key, b"x", context=b"")
    assert caught.value.status == 503
    assert caught.value.retry_after_seconds
    assert vault.keys.unwrap(key, vault.keys.wrap(key, b"x", context=b"").ciphertext, context=b"") == b"x"


# --- secret store ----------------------------------------------------------------------------------------------------


class Safe(Protocol):
    """A secret store, who adds to it, and the operator's side of it."""

    store: SecretStore
    rotator: SecretRotator

    def add_version(self, name: str, value: bytes) -> object: ...
    def disable_version(self, name: str, number: int) -> None: ...
    def away(self) -> AbstractContextManager[None]: ...


class MemorySafe:
    def __init__(self) -> None:
        self.store = MemorySecretStore()
        self.rotator = MemorySecretRotator(self.store, SystemClock())
        self.add_version = self.store.add_version
        self.disable_version = self.store.disable_version

    @contextmanager
    def away(self) -> Iterator[None]:
        self.store.is_away = True
        yield
        self.store.is_away = False


class GoogleSafe:
    def __init__(self, google: Emulator) -> None:
        self._google = google
        self._client = google.secrets()
        self.store = GoogleSecretStore(google_settings(google))
        self.rotator = GoogleSecretRotator(google_settings(google))

    def add_version(self, name: str, value: bytes) -> None:
        secret = {"replication": {"automatic": {}}}
        with suppress(AlreadyExists):
            self._client.create_secret(parent=f"projects/{PROJECT}", secret_id=name, secret=secret)
        self._client.add_secret_version(parent=f"projects/{PROJECT}/secrets/{name}", payload=SecretPayload(data=value))

    def disable_version(self, name: str, number: int) -> None:
        self._client.disable_secret_version(name=f"projects/{PROJECT}/secrets/{name}/versions/{number}")

    def away(self) -> AbstractContextManager[None]:
        return self._google.fault("secret_manager", "unavailable")


@pytest.fixture(params=["memory", "google"])
def safe(request: pytest.FixtureRequest) -> Safe:
    return MemorySafe() if request.param == "memory" else GoogleSafe(request.getfixturevalue("google"))


def test_each_version_of_a_secret_is_read_by_number_and_the_newest_by_default(safe: Safe) -> None:
    name = fresh_name("secret")
    for value in (b"one", b"two", bytes(range(256))):
        safe.add_version(name, value)
    assert safe.store.read(name, "1").reveal() == b"one"
    assert safe.store.read(name, "2").reveal() == b"two"
    assert safe.store.read(name).reveal() == bytes(range(256))
    assert safe.store.latest_version(name) == 3
    assert isinstance(safe.store.read(name), Secret), "a secret came out as plain bytes"


def test_a_missing_or_disabled_secret_is_a_503_and_never_an_empty_one(safe: Safe) -> None:
    name = fresh_name("secret")
    safe.add_version(name, b"one")
    safe.add_version(name, b"two")
    safe.disable_version(name, 1)
    for missing, version in ((name, "1"), (name, "3"), (name, "0"), ("no-such-secret", "latest")):
        with pytest.raises(VersionUnusable):
            safe.store.read(missing, version)
    with pytest.raises(ServiceAway):
        safe.store.latest_version("no-such-secret")
    assert safe.store.read(name).reveal() == b"two"


def test_a_secret_store_that_is_away_is_a_503(safe: Safe) -> None:
    name = fresh_name("secret")
    safe.add_version(name, b"one")
    with safe.away(), pytest.raises(ServiceAway) as caught:
        safe.store.read(name)
    assert caught.value.facts == {"service": "secret_manager"}
    assert not isinstance(caught.value, VersionUnusable), "an outage looks like a version that is gone"
    assert safe.store.read(name).reveal() == b"one"


def test_the_newest_version_is_told_even_when_it_is_disabled(safe: Safe) -> None:
    name = fresh_name("secret")
    safe.add_version(name, b"one")
    safe.add_version(name, b"two")
    safe.disable_version(name, 2)
    assert safe.store.latest_version(name) == 2
    with pytest.raises(VersionUnusable):
        safe.store.read(name)


def test_a_rotator_adds_versions_and_knows_when_it_did(safe: Safe) -> None:
    name = fresh_name("secret")
    safe.add_version(name, b"one")
    began = datetime.now(UTC) - timedelta(seconds=2)
    assert safe.rotator.add(name, Secret(b"two")) == 2
    assert safe.store.read(name).reveal() == b"two"
    made_at = safe.rotator.made_at(name)
    assert made_at is not None
    assert began <= made_at <= datetime.now(UTC) + timedelta(seconds=2)


def test_a_rotator_of_a_secret_without_a_version_says_so(safe: Safe) -> None:
    assert safe.rotator.made_at("no-such-secret") is None


def test_a_rotator_of_a_store_that_is_away_is_a_503(safe: Safe) -> None:
    name = fresh_name("secret")
    safe.add_version(name, b"one")
    with safe.away():
        for ask in (lambda: safe.rotator.add(name, Secret(b"two")), lambda: safe.rotator.made_at(name)):
            with pytest.raises(ServiceAway):
                ask()
    assert safe.store.read(name).reveal() == b"one"


# --- queue -----------------------------------------------------------------------------------------------------------


class Post(Protocol):
    """A queue, and what arrives on one of its topics."""

    queue: Queue

    def add_topic(self, topic: str) -> None: ...
    def received(self, topic: str, number: int) -> list[Message]: ...
    def away(self) -> AbstractContextManager[None]: ...


class MemoryPost:
    def __init__(self) -> None:
        self._topics: set[str] = set()
        self.queue = MemoryQueue(frozenset())

    def add_topic(self, topic: str) -> None:
        self._topics.add(topic)
        self.queue.topics = frozenset(self._topics)

    def received(self, topic: str, number: int) -> list[Message]:
        found = self.queue.messages(topic)
        assert len(found) == number
        return found

    @contextmanager
    def away(self) -> Iterator[None]:
        self.queue.is_away = True
        yield
        self.queue.is_away = False


class GooglePost:
    def __init__(self, google: Emulator) -> None:
        self._google = google
        self.queue = GoogleQueue(google_settings(google))

    def add_topic(self, topic: str) -> None:
        name = f"projects/{PROJECT}/topics/{topic}"
        self._google.publisher().create_topic(name=name)
        subscription = f"projects/{PROJECT}/subscriptions/{topic}"
        self._google.subscriber().create_subscription(
            request={"name": subscription, "topic": name, "enable_message_ordering": True}
        )

    def received(self, topic: str, number: int) -> list[Message]:
        client, subscription = self._google.subscriber(), f"projects/{PROJECT}/subscriptions/{topic}"
        found: list[Message] = []
        while len(found) < number:
            reply = client.pull(subscription=subscription, max_messages=1000, timeout=10)
            assert reply.received_messages, f"{len(found)} of {number} messages arrived"
            for item in reply.received_messages:
                data = item.message
                found.append(Message(json.loads(data.data), dict(data.attributes), data.ordering_key))
            client.acknowledge(subscription=subscription, ack_ids=[item.ack_id for item in reply.received_messages])
        return found

    def away(self) -> AbstractContextManager[None]:
        return self._google.fault("pubsub", "unavailable")


@pytest.fixture(params=["memory", "google"])
def post(request: pytest.FixtureRequest) -> Post:
    return MemoryPost() if request.param == "memory" else GooglePost(request.getfixturevalue("google"))


def test_a_message_arrives_as_it_was_sent(post: Post) -> None:
    topic = fresh_name("topic")
    post.add_topic(topic)
    sent = Message(
        {"text": "Grüße \U0001f600", "number": 1.5, "none": None, "list": [1, {"a": []}]},
        {"org_id": "o", "event_id": "e"},
    )
    post.queue.publish(topic, [sent])
    assert post.received(topic, 1) == [sent]


def test_messages_of_one_ordering_key_arrive_in_order(post: Post) -> None:
    topic = fresh_name("topic")
    post.add_topic(topic)
    post.queue.publish(topic, [Message({"number": number}, {}, "one key") for number in range(20)])
    assert [item.payload["number"] for item in post.received(topic, 20)] == list(range(20))


def test_more_messages_than_one_call_takes_all_arrive(post: Post) -> None:
    topic = fresh_name("topic")
    post.add_topic(topic)
    post.queue.publish(topic, [Message({"number": number}) for number in range(1203)])
    assert sorted(int(str(item.payload["number"])) for item in post.received(topic, 1203)) == list(range(1203))


def test_nothing_to_publish_is_no_error(post: Post) -> None:
    post.queue.publish("no-such-topic", [])


def test_a_missing_topic_or_a_queue_that_is_away_is_a_503(post: Post) -> None:
    topic = fresh_name("topic")
    post.add_topic(topic)
    with pytest.raises(ServiceAway):
        post.queue.publish("no-such-topic", [Message({})])
    with post.away(), pytest.raises(ServiceAway):
        post.queue.publish(topic, [Message({})])


# --- object store ----------------------------------------------------------------------------------------------------


class Cellar(Protocol):
    """An object store with a bucket of its own."""

    objects: ObjectStore

    def away(self) -> AbstractContextManager[None]: ...


class MemoryCellar:
    def __init__(self) -> None:
        self.objects = MemoryObjectStore()

    @contextmanager
    def away(self) -> Iterator[None]:
        self.objects.is_away = True
        yield
        self.objects.is_away = False


class GoogleCellar:
    def __init__(self, google: Emulator) -> None:
        self._google = google
        bucket = fresh_name("bucket")
        made = httpx.post(f"{google.url}/storage/v1/b", json={"name": f"{PROJECT}-{bucket}"}, trust_env=False)
        made.raise_for_status()
        self.objects = GoogleObjectStore(google_settings(google), bucket)

    def away(self) -> AbstractContextManager[None]:
        return self._google.fault("storage", "unavailable")


@pytest.fixture(params=["memory", "google"])
def cellar(request: pytest.FixtureRequest) -> Cellar:
    return MemoryCellar() if request.param == "memory" else GoogleCellar(request.getfixturevalue("google"))


@pytest.mark.parametrize("name", ["a", "org/1/2-3.json", "with space & ?=#%2F+", "é/€", "n" * 1024])
def test_an_object_is_read_as_it_was_written(cellar: Cellar, name: str) -> None:
    content = bytes(range(256)) * 4
    assert cellar.objects.get(name) is None
    assert cellar.objects.put_new(name, content) is True
    assert cellar.objects.get(name) == content
    assert list(cellar.objects.names("")) == [name]


def test_an_object_is_never_written_over(cellar: Cellar) -> None:
    assert cellar.objects.put_new("one", b"first") is True
    for content in (b"second", b"first", b""):
        assert cellar.objects.put_new("one", content) is False
    assert cellar.objects.get("one") == b"first"


def test_of_two_writers_at_once_one_wins(cellar: Cellar) -> None:
    contents = [str(number).encode() for number in range(8)]
    with ThreadPoolExecutor(len(contents)) as pool:
        won = list(pool.map(lambda content: cellar.objects.put_new("one", content), contents))
    assert won.count(True) == 1
    assert cellar.objects.get("one") == contents[won.index(True)]


def test_names_are_listed_in_order_by_their_beginning(cellar: Cellar) -> None:
    for name in ("org/b/2", "org/a/10", "org/a/09", "org/ab/1", "platform/1"):
        cellar.objects.put_new(name, b"{}")
    assert list(cellar.objects.names("org/a/")) == ["org/a/09", "org/a/10"]
    assert list(cellar.objects.names("none/")) == []
    assert len(list(cellar.objects.names(""))) == 5


def test_more_names_than_one_page_holds_are_all_listed(cellar: Cellar) -> None:
    names = [f"{number:05}" for number in range(1003)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: cellar.objects.put_new(name, b""), names))
    assert list(cellar.objects.names("")) == names


def test_an_object_store_that_is_away_is_a_503(cellar: Cellar) -> None:
    cellar.objects.put_new("one", b"first")
    with cellar.away():
        for ask in (
            lambda: cellar.objects.put_new("two", b""),
            lambda: cellar.objects.get("one"),
            lambda: list(cellar.objects.names("")),
        ):
            with pytest.raises(ServiceAway):
                ask()
    assert cellar.objects.put_new("two", b"") is True


def test_a_missing_bucket_and_nobody_listening_are_a_503(google: Emulator) -> None:
    closed = Settings(env="emulator", project=PROJECT, storage_endpoint="http://127.0.0.1:1")
    for store in (GoogleObjectStore(google_settings(google), "none"), GoogleObjectStore(closed, "none")):
        with pytest.raises(ServiceAway):
            store.put_new("one", b"")
        with pytest.raises(ServiceAway):
            list(store.names(""))


# --- clock and entropy -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clock", [SystemClock(), FakeClock()], ids=["system", "fake"])
def test_a_clock_is_aware_utc_and_its_waits_pass(clock: Clock) -> None:
    before, began = clock.now(), clock.monotonic_seconds()
    clock.sleep_seconds(0.01)
    offset = before.utcoffset()
    assert offset is not None
    assert not offset
    assert clock.now() > before
    assert clock.monotonic_seconds() - began >= 0.01


@pytest.mark.parametrize("entropy", [SystemEntropy(), FixedEntropy()], ids=["system", "fixed"])
def test_entropy_never_repeats_and_ids_are_version_7(entropy: Entropy) -> None:
    drawn = [entropy.token_bytes(32) for _ in range(100)]
    assert {len(item) for item in drawn} == {32}
    assert len(set(drawn)) == 100
    ids = [entropy.uuid() for _ in range(100)]
    assert len(set(ids)) == 100
    assert {(item.version, item.variant) for item in ids} == {(7, "specified in RFC 4122")}


def test_fixed_entropy_is_the_same_in_every_run_and_its_ids_sort_by_time() -> None:
    one, other = FixedEntropy(), FixedEntropy()
    assert one.token_bytes(16) == other.token_bytes(16)
    ids = [one.uuid() for _ in range(20)]
    assert ids == [other.uuid() for _ in range(20)]
    assert ids == sorted(ids)
    assert FixedEntropy("another seed").token_bytes(16) != FixedEntropy().token_bytes(16)
