"""Key rings, keys and versions of the KMS: names, states, rotation by hand. The cryptography is in `kms.py`.

Unlike Google's, a new signing key is ENABLED at once (not PENDING_GENERATION first), `rotation_period` is kept but does
not rotate, and `destroy_scheduled_duration` may be shorter than a day.
Source: https://cloud.google.com/kms/docs/key-states
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import RLock

from google.cloud.kms_v1.types import resources, service

from local_emulator.google import kms_material
from local_emulator.google.kms_material import Algorithm, Purpose
from local_emulator.google.names import KMS_ID, Shape, id_of, parent_of, require, require_id
from local_emulator.google.rpc import already_exists, failed_precondition, invalid, not_found, page_of
from local_emulator.google.storage import Records

State = resources.CryptoKeyVersion.CryptoKeyVersionState
ProtectionLevel = resources.ProtectionLevel
RING, KEY, VERSION, MATERIAL = "key_ring", "crypto_key", "version", "material"
DESTROY_AFTER = timedelta(days=30)
KEY_UPDATES = ("labels", "rotation_period", "next_rotation_time", "version_template")


class KeyResources:
    """The RPCs that manage keys; each change is one transaction."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lock = RLock()

    def create_key_ring(self, request: service.CreateKeyRingRequest) -> resources.KeyRing:
        """Create a key ring."""
        parent = require(request.parent, Shape.LOCATION)
        name = f"{parent}/keyRings/{require_id(request.key_ring_id, KMS_ID, 'key_ring_id')}"
        with self._lock:
            if self._records.get(RING, name) is not None:
                raise already_exists(f"KeyRing {name}")
            ring = resources.KeyRing(name=name, create_time=datetime.now(UTC))
            self._records.put(RING, name, resources.KeyRing.serialize(ring))
        return ring

    def get_key_ring(self, request: service.GetKeyRingRequest) -> resources.KeyRing:
        """Return a key ring."""
        return self._ring(request.name)

    def list_key_rings(self, request: service.ListKeyRingsRequest) -> service.ListKeyRingsResponse:
        """List the key rings of a location."""
        bodies = self._records.under(RING, require(request.parent, Shape.LOCATION))
        page, token = page_of(len(bodies), request.page_size, request.page_token)
        rings = [resources.KeyRing.deserialize(body) for body in bodies[page]]
        return service.ListKeyRingsResponse(key_rings=rings, next_page_token=token, total_size=len(bodies))

    def create_crypto_key(self, request: service.CreateCryptoKeyRequest) -> resources.CryptoKey:
        """Create a key and, unless it is told not to, its first version."""
        ring = self._ring(request.parent).name
        name = f"{ring}/cryptoKeys/{require_id(request.crypto_key_id, KMS_ID, 'crypto_key_id')}"
        key = _checked_key(request.crypto_key, name)
        with self._lock, self._records.transaction():
            if self._records.get(KEY, name) is not None:
                raise already_exists(f"CryptoKey {name}")
            if not request.skip_initial_version_creation:
                version = self._new_version(key)
                if key.purpose == Purpose.ENCRYPT_DECRYPT:
                    key.primary = version
            self._save_key(key)
        return key

    def get_crypto_key(self, request: service.GetCryptoKeyRequest) -> resources.CryptoKey:
        """Return a key with the present state of its primary version."""
        return self._key(request.name)

    def list_crypto_keys(self, request: service.ListCryptoKeysRequest) -> service.ListCryptoKeysResponse:
        """List the keys of a key ring."""
        bodies = self._records.under(KEY, self._ring(request.parent).name)
        page, token = page_of(len(bodies), request.page_size, request.page_token)
        keys = [self._key(resources.CryptoKey.deserialize(body).name) for body in bodies[page]]
        return service.ListCryptoKeysResponse(crypto_keys=keys, next_page_token=token, total_size=len(bodies))

    def update_crypto_key(self, request: service.UpdateCryptoKeyRequest) -> resources.CryptoKey:
        """Change the labels, the rotation schedule or the version template of a key."""
        paths = list(request.update_mask.paths) if request.update_mask else []
        if not paths or any(path not in KEY_UPDATES for path in paths):
            raise invalid(f"update_mask must name some of {', '.join(KEY_UPDATES)}.")
        with self._lock:
            key = self._key(request.crypto_key.name)
            for path in paths:
                setattr(key, path, getattr(request.crypto_key, path))
            _check_algorithm(key)
            self._save_key(key)
        return key

    def update_crypto_key_primary_version(
        self, request: service.UpdateCryptoKeyPrimaryVersionRequest
    ) -> resources.CryptoKey:
        """Choose the version that encrypts."""
        with self._lock:
            key = self._key(request.name)
            if key.purpose != Purpose.ENCRYPT_DECRYPT:
                raise failed_precondition(f"{key.name} has no primary version: its purpose is not ENCRYPT_DECRYPT.")
            number = require_id(request.crypto_key_version_id, KMS_ID, "crypto_key_version_id")
            key.primary = self._version(f"{key.name}/cryptoKeyVersions/{number}")
            self._save_key(key)
        return key

    def create_crypto_key_version(self, request: service.CreateCryptoKeyVersionRequest) -> resources.CryptoKeyVersion:
        """Create the next version of a key; the primary stays what it is."""
        with self._lock, self._records.transaction():
            return self._new_version(self._key(request.parent))

    def get_crypto_key_version(self, request: service.GetCryptoKeyVersionRequest) -> resources.CryptoKeyVersion:
        """Return one version."""
        return self._version(request.name)

    def list_crypto_key_versions(
        self, request: service.ListCryptoKeyVersionsRequest
    ) -> service.ListCryptoKeyVersionsResponse:
        """List the versions of a key by number, optionally by `state=`."""
        names = [version.name for version in self._versions(self._key(request.parent).name)]
        versions = [self._version(name) for name in names]
        if request.filter:
            versions = [version for version in versions if version.state == _state_filter(request.filter)]
        page, token = page_of(len(versions), request.page_size, request.page_token)
        return service.ListCryptoKeyVersionsResponse(
            crypto_key_versions=versions[page], next_page_token=token, total_size=len(versions)
        )

    def update_crypto_key_version(self, request: service.UpdateCryptoKeyVersionRequest) -> resources.CryptoKeyVersion:
        """Enable or disable a version."""
        if not request.update_mask or list(request.update_mask.paths) != ["state"]:
            raise invalid("update_mask must be 'state'.")
        wanted = request.crypto_key_version.state
        if wanted not in (State.ENABLED, State.DISABLED):
            raise invalid("A version can only be updated to ENABLED or DISABLED.")
        return self._change_state(request.crypto_key_version.name, (State.ENABLED, State.DISABLED), wanted)

    def destroy_crypto_key_version(self, request: service.DestroyCryptoKeyVersionRequest) -> resources.CryptoKeyVersion:
        """Schedule the destruction of a version's material."""
        with self._lock:
            version = self._version(request.name)
            delay = self._key(parent_of(version.name)).destroy_scheduled_duration
            return self._change_state(
                version.name,
                (State.ENABLED, State.DISABLED),
                State.DESTROY_SCHEDULED,
                destroy_time=datetime.now(UTC) + delay,
            )

    def restore_crypto_key_version(self, request: service.RestoreCryptoKeyVersionRequest) -> resources.CryptoKeyVersion:
        """Take a version back from destruction; it is DISABLED then."""
        return self._change_state(request.name, (State.DESTROY_SCHEDULED,), State.DISABLED)

    def _ring(self, name: str) -> resources.KeyRing:
        body = self._records.get(RING, require(name, Shape.KEY_RING))
        if body is None:
            raise not_found(f"KeyRing {name}")
        ring: resources.KeyRing = resources.KeyRing.deserialize(body)
        return ring

    def _key(self, name: str) -> resources.CryptoKey:
        body = self._records.get(KEY, require(name, Shape.CRYPTO_KEY))
        if body is None:
            raise not_found(f"CryptoKey {name}")
        key: resources.CryptoKey = resources.CryptoKey.deserialize(body)
        if key.primary.name:
            key.primary = self._version(key.primary.name)
        return key

    def _save_key(self, key: resources.CryptoKey) -> None:
        self._records.put(KEY, key.name, resources.CryptoKey.serialize(key))

    def _version(self, name: str) -> resources.CryptoKeyVersion:
        body = self._records.get(VERSION, require(name, Shape.CRYPTO_KEY_VERSION))
        if body is None:
            raise not_found(f"CryptoKeyVersion {name}")
        version: resources.CryptoKeyVersion = resources.CryptoKeyVersion.deserialize(body)
        if version.state == State.DESTROY_SCHEDULED and version.destroy_time <= datetime.now(UTC):
            version.destroy_event_time, version.destroy_time = version.destroy_time, None
            version.state = State(State.DESTROYED)
            with self._records.transaction():
                self._records.delete(MATERIAL, name)
                self._save_version(version)
        return version

    def _save_version(self, version: resources.CryptoKeyVersion) -> None:
        self._records.put(VERSION, version.name, resources.CryptoKeyVersion.serialize(version))

    def _versions(self, key_name: str) -> list[resources.CryptoKeyVersion]:
        return [resources.CryptoKeyVersion.deserialize(body) for body in self._records.under(VERSION, key_name)]

    def _new_version(self, key: resources.CryptoKey) -> resources.CryptoKeyVersion:
        now = datetime.now(UTC)
        version = resources.CryptoKeyVersion(
            name=f"{key.name}/cryptoKeyVersions/{len(self._versions(key.name)) + 1}",
            state=State.ENABLED,
            protection_level=key.version_template.protection_level,
            algorithm=key.version_template.algorithm,
            create_time=now,
            generate_time=now,
        )
        self._records.put(MATERIAL, version.name, kms_material.generate(version.algorithm))
        self._save_version(version)
        return version

    def _change_state(
        self, name: str, allowed: tuple[int, ...], wanted: int, *, destroy_time: datetime | None = None
    ) -> resources.CryptoKeyVersion:
        with self._lock:
            version = self._version(name)
            if version.state not in allowed:
                raise failed_precondition(
                    f"{name} cannot become {State(wanted).name}, its state is {State(version.state).name}."
                )
            version.state, version.destroy_time = State(wanted), destroy_time
            self._save_version(version)
            return version

    def _enabled(self, name: str, purpose: int) -> tuple[resources.CryptoKeyVersion, bytes]:
        """Return a version and its material for one use. Raises: FAILED_PRECONDITION when it cannot be used so."""
        version = self._version(name)
        if version.state != State.ENABLED:
            raise failed_precondition(f"{name} is not enabled, current state is: {State(version.state).name}.")
        if kms_material.PURPOSES[version.algorithm] != purpose:
            raise failed_precondition(
                f"{name} has algorithm {Algorithm(version.algorithm).name}, not for {Purpose(purpose).name}."
            )
        material = self._records.get(MATERIAL, name)
        if material is None:
            raise not_found(f"The material of {name}")
        return version, material

    def _version_number(self, version: resources.CryptoKeyVersion) -> int:
        return int(id_of(version.name))


def _checked_key(given: resources.CryptoKey, name: str) -> resources.CryptoKey:
    if given.purpose == Purpose.CRYPTO_KEY_PURPOSE_UNSPECIFIED:
        raise invalid("crypto_key.purpose is required.")
    key = resources.CryptoKey(given)
    key.name, key.create_time, key.primary = name, datetime.now(UTC), resources.CryptoKeyVersion()
    key.destroy_scheduled_duration = given.destroy_scheduled_duration or DESTROY_AFTER
    if key.rotation_period and (key.purpose != Purpose.ENCRYPT_DECRYPT or not key.next_rotation_time):
        raise invalid("rotation_period needs next_rotation_time and the purpose ENCRYPT_DECRYPT.")
    _check_algorithm(key)
    return key


def _check_algorithm(key: resources.CryptoKey) -> None:
    template = key.version_template
    if template.algorithm == Algorithm.CRYPTO_KEY_VERSION_ALGORITHM_UNSPECIFIED:
        template.algorithm = Algorithm(Algorithm.GOOGLE_SYMMETRIC_ENCRYPTION)
    if template.protection_level == ProtectionLevel.PROTECTION_LEVEL_UNSPECIFIED:
        template.protection_level = ProtectionLevel(ProtectionLevel.SOFTWARE)
    if template.algorithm in kms_material.PURPOSES and kms_material.PURPOSES[template.algorithm] != key.purpose:
        raise invalid(f"{Algorithm(template.algorithm).name} cannot be used with purpose {Purpose(key.purpose).name}.")


def _state_filter(text: str) -> int:
    states = {f"state={name}": int(state) for name, state in State.__members__.items()}
    if text.replace(" ", "") not in states:
        raise invalid(f"The emulator understands the filter state=NAME, not {text!r}.")
    return states[text.replace(" ", "")]
