"""Encrypted assertions that must stay closed, and that nothing tells why."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from functions.auth.errors import SamlRefused
from functions.auth.saml.encryption import KeyRefused, Oaep, PrivateKeyDecryptor
from functions.auth.saml.reasons import Refusal
from functions.auth.saml.responses import verify_response
from tests.support.saml_idp import SHA256, XENC, XENC11, Encryption, rsa_key
from tests.support.saml_scene import ANSWER, CONNECTION, DECRYPTOR, EXPECTED, IDP, accept, cut, refusal

PUBLIC = rsa_key("service provider").public_key()
CBC = replace(CONNECTION, allow_cbc=True)


@pytest.mark.parametrize("cipher", ["aes128-cbc", "aes256-cbc"])
def test_cbc_is_refused_unless_it_was_allowed_and_the_response_is_signed(cipher: str) -> None:
    how = Encryption(PUBLIC, cipher=f"{XENC}{cipher}")
    unsigned, signed = (IDP.respond(ANSWER, encryption=how, sign_response=both) for both in (False, True))
    assert refusal(unsigned) is Refusal.ENCRYPTION_ALGORITHM
    assert refusal(signed) is Refusal.ENCRYPTION_ALGORITHM
    assert refusal(unsigned, CBC) is Refusal.ENCRYPTION_ALGORITHM
    assert accept(signed, CBC).name_id == ANSWER.name_id


def test_a_changed_cbc_ciphertext_never_reaches_the_key() -> None:
    """The oracle needs an answer per changed ciphertext; the response's signature gives it none."""

    class Watched:
        calls = 0

        def unwrap_key(self, wrapped: bytes, oaep: Oaep) -> bytes:
            Watched.calls += 1
            return DECRYPTOR.unwrap_key(wrapped, oaep)

    how = Encryption(PUBLIC, cipher=f"{XENC}aes256-cbc")
    response = IDP.respond(ANSWER, encryption=how, sign_response=True).decode()
    value = cut(response[response.index("</ds:KeyInfo><xenc:CipherData>") :], "xenc:CipherValue")
    for at in range(20, 60):
        changed = value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]
        assert refusal(response.replace(value, changed).encode(), CBC, EXPECTED, Watched()) is Refusal.SIGNATURE_INVALID
    assert Watched.calls == 0


@pytest.mark.parametrize(
    "how",
    [
        Encryption(PUBLIC, transport=f"{XENC}rsa-1_5", digest=None),
        Encryption(PUBLIC, cipher=f"{XENC}tripledes-cbc"),
        Encryption(PUBLIC, cipher=f"{XENC11}aes192-gcm"),
        Encryption(PUBLIC, transport=f"{XENC}rsa-oaep-mgf1p", mask=f"{XENC11}mgf1sha256"),
        Encryption(PUBLIC, transport=f"{XENC11}rsa-oaep", mask=f"{XENC11}mgf1sha224"),
        Encryption(PUBLIC, digest="http://www.w3.org/2001/04/xmldsig-more#sha224"),
    ],
    ids=lambda how: f"{how.transport} {how.cipher} {how.digest} {how.mask}".replace("http://www.w3.org/", ""),
)
def test_other_algorithms(how: Encryption) -> None:
    assert refusal(IDP.respond(ANSWER, encryption=how), CBC) is Refusal.ENCRYPTION_ALGORITHM


def test_whatever_does_not_open_does_so_with_one_reason() -> None:
    how = Encryption(PUBLIC)
    response = IDP.respond(ANSWER, encryption=how).decode()
    key_value = cut(response, "xenc:CipherValue")
    data_value = cut(response[response.rindex("<xenc:CipherValue") :], "xenc:CipherValue")
    content = base64.b64decode(data_value[len("<xenc:CipherValue>") : -len("</xenc:CipherValue>")])

    def data(changed: bytes) -> str:
        written = f"<xenc:CipherValue>{base64.b64encode(changed).decode()}</xenc:CipherValue>"
        return response.replace(data_value, written)

    other = IDP.respond(ANSWER, encryption=how).decode()
    closed = [
        data(content[:-1]),
        data(content[:-16]),
        data(content[:28]),
        data(content[:27]),
        data(b"\x00"),
        data(content + b"\x00"),
        data(bytes([content[0] ^ 1]) + content[1:]),
        data(content[:-1] + bytes([content[-1] ^ 1])),
        response.replace(key_value, cut(other, "xenc:CipherValue")),
        response.replace(key_value, "<xenc:CipherValue>AAAA</xenc:CipherValue>"),
        response.replace(key_value, f"<xenc:CipherValue>{'A' * 344}</xenc:CipherValue>"),
        response.replace(f"{XENC11}aes256-gcm", f"{XENC11}aes128-gcm"),
        response.replace("http://www.w3.org/2000/09/xmldsig#sha1", SHA256),
        IDP.respond(ANSWER, encryption=Encryption(rsa_key("somebody else's").public_key())).decode(),
    ]
    for changed in closed:
        assert changed != response
        with pytest.raises(SamlRefused) as caught:
            verify_response(changed.encode(), CONNECTION, EXPECTED, DECRYPTOR)
        assert caught.value.reason is Refusal.DECRYPTION_FAILED
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


def test_without_a_key_of_ours_nothing_is_opened() -> None:
    response = IDP.respond(ANSWER, encryption=Encryption(PUBLIC))
    assert refusal(response, CONNECTION, EXPECTED, None) is Refusal.DECRYPTION_UNAVAILABLE


def test_while_our_key_is_changed_both_open() -> None:
    both = PrivateKeyDecryptor([rsa_key("new"), rsa_key("service provider")])
    for key in (rsa_key("new"), rsa_key("service provider")):
        response = IDP.respond(ANSWER, encryption=Encryption(key.public_key()))
        assert accept(response, CONNECTION, EXPECTED, both).name_id == ANSWER.name_id
    with pytest.raises(KeyRefused):
        both.unwrap_key(b"\x00" * 256, Oaep("SHA256", "SHA256"))


def test_a_key_manager_that_is_away_is_no_forgery() -> None:
    class AwayError(Exception):
        pass

    class Away:
        def unwrap_key(self, wrapped: bytes, oaep: Oaep) -> bytes:
            raise AwayError

    with pytest.raises(AwayError):
        verify_response(IDP.respond(ANSWER, encryption=Encryption(PUBLIC)), CONNECTION, EXPECTED, Away())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<xenc:CipherValue>", '<xenc:CipherReference URI="http://127.0.0.1:9/"/><xenc:CipherValue>'),
        (f'Type="{XENC}Element"', f'Type="{XENC}Content"'),
        ("</xenc:EncryptedData>", "<xenc:EncryptionProperties/></xenc:EncryptedData>"),
        ("<xenc:EncryptedKey ", '<xenc:EncryptedKey Id="_two"/><xenc:EncryptedKey '),
        ("</xenc:EncryptedData>", f'</xenc:EncryptedData><x:EncryptedKey xmlns:x="{XENC}" Id="_two"/>'),
        ("<xenc:EncryptedKey ", '<ds:RetrievalMethod URI="http://127.0.0.1:9/"/><xenc:EncryptedKey '),
        ("<xenc:EncryptedData ", '<xenc:EncryptedData y="1" '),
        ("</xenc:EncryptionMethod>", "<xenc:OAEPparams>AAAA</xenc:OAEPparams></xenc:EncryptionMethod>"),
        ("</xenc:EncryptionMethod>", "<xenc:KeySize>128</xenc:KeySize></xenc:EncryptionMethod>"),
        ("<xenc:CipherValue>", "<xenc:CipherValue>!"),
    ],
)
def test_parts_that_encryption_does_not_need(old: str, new: str) -> None:
    response = IDP.respond(ANSWER, encryption=Encryption(PUBLIC)).decode()
    assert old in response
    assert refusal(response.replace(old, new, 1).encode()) is Refusal.ENCRYPTION_SHAPE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('URI="#_key"', 'URI="#_other"'),
        ('URI="#_key"', 'URI=""'),
        ('URI="#_key"', 'URI="http://127.0.0.1:9/key"'),
        (f'<ds:RetrievalMethod Type="{XENC}EncryptedKey"', '<ds:RetrievalMethod Type="urn:x"'),
        (' Id="_key"', ""),
    ],
)
def test_a_key_beside_the_data_is_the_one_that_is_pointed_to(old: str, new: str) -> None:
    response = IDP.respond(ANSWER, encryption=Encryption(PUBLIC, beside=True)).decode()
    assert old in response
    assert refusal(response.replace(old, new, 1).encode()) is Refusal.ENCRYPTION_SHAPE
