"""The offline verifier finds whatever was done to a pack, and whatever pretends to be one costs it little."""

from __future__ import annotations

import ast
import base64
import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.auth.domain import packs
from functions.auth.domain.packs import File
from infra.verify_pack import verify_pack
from infra.verify_pack.verify_pack import Known, Report
from shared.security.audit import Head
from tests.support.audit_packs import NOW, ORG, PackMaker, chain, changed, keys_of, signing_key, unpacked, zip_of

KEY = signing_key()
KEYS = keys_of(KEY)
GENUINE = PackMaker(KEY).build()


def check(content: bytes, **options: Any) -> Report:
    return verify_pack.verify(io.BytesIO(content), options.pop("keys", KEYS), **options)


def problem_of(content: bytes, **options: Any) -> str:
    report = check(content, **options)
    assert not report.is_ok, "it passed for a genuine pack"
    return report.problems[0]


def reply(files: list[File], change: Callable[[list[File]], list[File]]) -> bytes:
    return zip_of(change(files))


# What is genuine


def test_a_genuine_pack_is_verified() -> None:
    report = check(GENUINE, organisation=str(ORG))
    assert (report.problems, report.key_id, report.files, report.entries) == ([], "export-signing-1", 8, 7)


@pytest.mark.parametrize(
    ("entries", "first", "rows_per_file"), [(0, 1, 3), (1, 1, 1), (7, 4, 2), (7, 7, 9), (7, 8, 3), (3, 1, 1)]
)
def test_any_slice_of_a_chain_is_verified(entries: int, first: int, rows_per_file: int) -> None:
    whole = chain(entries)
    made = PackMaker(KEY, whole, first, anchors=[Head(entry.seq, entry.hash) for entry in whole[1::2]], rows_per_file=rows_per_file)  # fmt: skip
    report = check(made.build())
    assert (report.problems, report.entries) == ([], entries - first + 1)


def test_a_slice_of_more_than_ten_files_is_read_in_order() -> None:
    assert check(PackMaker(KEY, chain(23), rows_per_file=2).build()).problems == []


def test_an_entry_that_is_known_from_before_must_be_there() -> None:
    entry = PackMaker(KEY).whole[4]
    assert check(GENUINE, known=Known(5, entry.hash.hex())).is_ok
    assert "not the one" in problem_of(GENUINE, known=Known(4, entry.hash.hex()))
    assert "outside" in problem_of(GENUINE, known=Known(99, entry.hash.hex()))


def test_other_tools_read_it_too(tmp_path: Path) -> None:
    assert [file.path for file in unpacked(GENUINE)][-2:] == ["manifest.json", "manifest.jws"]


# What was done by somebody who has no key


def test_any_changed_byte_is_found() -> None:
    """Of the whole ZIP, wherever it is: in headers, packed content, directory, end."""
    passed = []
    for place in range(0, len(GENUINE), 31):
        spoiled = bytearray(GENUINE)
        spoiled[place] ^= 0x01
        if check(bytes(spoiled)).is_ok:
            passed.append(place)
    # times, modes and versions in headers mean nothing; no byte of a file's content is among what may pass
    for place in passed:
        spoiled = bytearray(GENUINE)
        spoiled[place] ^= 0x01
        assert unpacked(bytes(spoiled)) == unpacked(GENUINE)


@pytest.mark.parametrize("file", unpacked(GENUINE), ids=lambda file: file.path)
def test_one_byte_of_any_file_is_found(file: File) -> None:
    files = changed(
        unpacked(GENUINE), file.path, lambda content: content[:-2] + bytes([content[-2] ^ 1]) + content[-1:]
    )
    assert problem_of(zip_of(files))


SPOILT: dict[str, tuple[Callable[[list[File]], list[File]], str]] = {
    "a file taken out": (lambda files: [f for f in files if f.path != "README.txt"], "not in the pack"),
    "a file added": (lambda files: [*files, File("access/more.csv", b"x")], "not in the manifest"),
    "a file renamed": (
        lambda files: [File("READ.txt", f.content) if f.path == "README.txt" else f for f in files], "READ.txt is in the pack",
    ),
    "a file twice": (lambda files: [*files, files[0]], "twice"),
    "a file twice but for its case": (lambda files: [*files, File("Readme.txt", b"x")], "twice"),
    "two files swapped": (
        lambda files: [File(files[1].path, files[0].content), File(files[0].path, files[1].content), *files[2:]], "was changed",
    ),
    "a row taken out": (
        lambda files: changed(files, "audit-log/entries-0001.jsonl", lambda c: b"".join(c.splitlines(keepends=True)[1:])), "was changed",
    ),
    "no signature": (lambda files: [f for f in files if f.path != "manifest.jws"], "lacks manifest.jws"),
    "no manifest": (lambda files: [f for f in files if f.path != "manifest.json"], "lacks manifest.json"),
    "another manifest": (lambda files: changed(files, "manifest.json", lambda c: c.replace(b"Acme", b"Acne")), "does not hold"),
    "manifest with a member twice": (
        lambda files: changed(files, "manifest.json", lambda c: c.replace(b"{", b'{"format":"x",', 1)), "does not hold",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT)
def test_what_was_done_to_a_pack_is_found(case: str) -> None:
    change, told = SPOILT[case]
    assert told in problem_of(reply(unpacked(GENUINE), change))


def test_a_pack_that_is_cut_short_or_followed_by_something_is_refused() -> None:
    for content in (b"", b"PK", GENUINE[:-1], GENUINE[:100], GENUINE + b"x", b"x" + GENUINE, GENUINE[1:]):
        assert problem_of(content)


def test_something_hidden_between_the_files_is_found() -> None:
    parts = [packs.pack_file(File(name, b"x"), NOW) for name in ("a", "b")]
    listed = [{"path": p.path, "packed_bytes": len(p.packed) + 5 * (n == 0), "content_bytes": 1, "content_crc32": p.content_crc32} for n, p in enumerate(parts)]  # fmt: skip
    directory = bytearray(packs.pack_directory(listed, NOW).packed)
    hidden = parts[0].packed + b"12345" + parts[1].packed
    directory[20] = directory[20] - 5  # the first file is as long as it was
    assert "between the files" in problem_of(hidden + bytes(directory))


# Who signed


def test_another_key_is_refused_whatever_it_is_called() -> None:
    other = signing_key()
    assert "does not hold" in problem_of(PackMaker(other).build())  # of the same id
    assert "not among those" in problem_of(GENUINE, keys={"export-signing-2": KEYS["export-signing-1"]})
    assert check(PackMaker(other).build(), keys=keys_of(other)).is_ok


def with_signature(change: Callable[[str], str]) -> bytes:
    return zip_of(changed(unpacked(GENUINE), "manifest.jws", lambda c: change(c.decode()).encode()))


def header_of(**members: Any) -> Callable[[str], str]:
    found = {"alg": "ES256", "kid": "export-signing-1", "typ": packs.TOKEN_TYPE, **members}
    text = base64.urlsafe_b64encode(json.dumps(found).encode()).rstrip(b"=").decode()
    return lambda jws: f"{text}..{jws.rpartition('.')[2]}"


@pytest.mark.parametrize(
    "change",
    [
        header_of(alg="none"), header_of(alg="HS256"), header_of(alg="ES384"), header_of(typ="at+jwt"), header_of(kid=None),
        header_of(jwk={"kty": "EC"}), header_of(b64=False, crit=["b64"]), header_of(kid="token-signing-1"), header_of(),
        lambda jws: jws.replace("..", ".e30."), lambda jws: jws.strip()[:-1], lambda jws: jws.strip() + "A", lambda jws: jws.strip() + "=",
        lambda jws: jws.partition("..")[0] + "..", lambda _: "", lambda _: "..", lambda _: "a.b", lambda jws: jws.upper(),
        lambda _: "x" * 4000,
    ],
)  # fmt: skip
def test_a_signature_of_another_form_is_refused(change: Callable[[str], str]) -> None:
    assert problem_of(with_signature(change))


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{}", b'{"keys":[]}', b'{"keys":[{"kty":"RSA"}]}', b'{"keys":[{"kty":"EC","crv":"P-384","kid":"a"}]}',
        b'{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"AA","y":"AA"}]}', b'{"keys":[{"kty":"EC","crv":"P-256","kid":1}]}',
        b'{"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"' + b"A" * 43 + b'","y":"' + b"A" * 43 + b'"}]}',
        b'{"keys":NaN}', b'{"keys":[],"keys":[]}', b"\xff", b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_key_set_is_refused(content: bytes) -> None:
    with pytest.raises(verify_pack.Refused):
        verify_pack.read_keys(content)


def test_two_keys_of_one_name_are_refused() -> None:
    (key,) = json.loads(packs.pretty(KEY.jwks()))["keys"]
    with pytest.raises(verify_pack.Refused, match="two keys"):
        verify_pack.read_keys(json.dumps({"keys": [key, key]}).encode())


# What somebody does who holds the signing key, or the platform's database: the chain tells


def entries(change: Callable[[list[Any]], list[Any]]) -> Callable[[list[File]], list[File]]:
    """Return a change of the first file of entries."""

    def apply(content: bytes) -> bytes:
        rows = change([json.loads(line) for line in content.splitlines()])
        return "".join(json.dumps(row) + "\n" for row in rows).encode()

    return lambda files: changed(files, "audit-log/entries-0001.jsonl", apply)


def told(change: Callable[[Any], Any]) -> Callable[[list[File]], list[File]]:
    """Return a change of the attestation."""
    return lambda files: changed(
        files, "audit-log/attestation.json", lambda content: json.dumps(change(json.loads(content))).encode()
    )


def set_in(**members: Any) -> Callable[[Any], Any]:
    return lambda found: {**found, **members}


CHAINS: dict[str, tuple[Callable[[list[File]], list[File]], str]] = {
    "an entry taken out": (entries(lambda rows: [rows[0], *rows[2:]]), "gap"),
    "the first entry taken out": (entries(lambda rows: rows[1:]), "gap"),
    "two entries swapped": (entries(lambda rows: [rows[1], rows[0], rows[2]]), "another order"),
    "an entry twice": (entries(lambda rows: [rows[0], *rows]), "another order"),
    "a field changed": (entries(lambda rows: [set_in(actor_id="me")(rows[0]), *rows[1:]]), "entry 1 was changed"),
    "the facts written anew": (entries(lambda rows: [set_in(facts='{"n": 0}')(rows[0]), *rows[1:]]), "entry 1 was changed"),
    "another hash": (entries(lambda rows: [set_in(hash="0" * 64)(rows[0]), *rows[1:]]), "entry 1 was changed"),
    "another link": (entries(lambda rows: [rows[0], set_in(prev_hash="0" * 64)(rows[1]), rows[2]]), "does not follow"),
    "another chain": (entries(lambda rows: [set_in(chain="org/x")(rows[0]), *rows[1:]]), "another chain"),
    "another form": (entries(lambda rows: [set_in(version=2)(rows[0]), *rows[1:]]), "form"),
    "a number as text": (entries(lambda rows: [set_in(seq="1")(rows[0]), *rows[1:]]), "another kind"),
    "true for one": (entries(lambda rows: [set_in(seq=True)(rows[0]), *rows[1:]]), "another kind"),
    "a field more": (entries(lambda rows: [set_in(more="x")(rows[0]), *rows[1:]]), "no entry"),
    "something else": (entries(lambda _: [1]), "no entry"),
    "no line's end": (lambda files: changed(files, "audit-log/entries-0001.jsonl", lambda c: c + b"{"), "within a line"),
    "the last file gone": (lambda files: [f for f in files if "entries-0003" not in f.path], "does not end where"),
    "no attestation": (lambda files: [f for f in files if "attestation" not in f.path], "lacks audit-log"),
    "an attestation of a later start": (told(set_in(first_seq=2)), "gap"),
    "an attestation of a start before all": (told(set_in(first_seq=0)), "begins nowhere"),
    "an attestation with another start": (told(set_in(start_hash="1" * 64)), "begins nowhere"),
    "an attestation of an earlier end": (told(set_in(last_seq=6)), "does not end where"),
    "an attestation with another end": (told(set_in(end_hash="1" * 64)), "does not end where"),
    "an attestation of another chain": (told(set_in(chain="platform")), "another chain"),
    "an attestation of another form": (told(set_in(form="x")), "not known"),
    "an anchor that does not fit": (told(set_in(anchors=[{"seq": 3, "hash": "1" * 64}])), "entry 3 is not the one"),
    "an anchor from elsewhere": (told(set_in(anchors=[{"seq": 33, "hash": "1" * 64}])), "outside"),
    "an anchor that is none": (told(set_in(anchors=[{}])), "lacks seq"),
    "a chain that the platform found broken": (told(set_in(whole_chain={"ok": False, "problem": "gap"})), "found its audit chain broken"),
    "an attestation that is none": (lambda files: changed(files, "audit-log/attestation.json", lambda _: b"[]"), "lacks form"),
}  # fmt: skip


@pytest.mark.parametrize("case", CHAINS)
def test_a_broken_chain_is_found_under_a_good_signature(case: str) -> None:
    change, expected = CHAINS[case]
    assert expected in problem_of(PackMaker(KEY, spoil=change).build())


def test_a_chain_that_was_written_anew_does_not_fit_what_was_anchored_or_is_known() -> None:
    old, new = chain(7), chain(7, head=Head(0, b"\1" * 32))
    anchors = [Head(5, old[4].hash)]
    broken = PackMaker(KEY, new, anchors=anchors, spoil=told(set_in(start_hash="01" * 32)))
    assert problem_of(broken.build())
    assert "not the one" in problem_of(GENUINE, known=Known(5, "00" * 32))


def test_a_pack_of_another_organisation_is_told() -> None:
    assert "another organisation" in problem_of(GENUINE, organisation="0199aaaa-0000-7000-8000-000000000002")


# What is made to do harm


def signed(files: list[File]) -> bytes:
    return PackMaker(KEY, spoil=lambda good: [*good, *files]).build()


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a/../b", "C:x", "a\\b", "a//b", ".x", "a/", "a b", "x" * 201, "a/b/c/d/e", "CON.", "a\nb", "a:b"]
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    assert "none of ours" in problem_of(zip_of([*unpacked(GENUINE), File(name, b"x")]))


def test_a_name_that_ends_early_is_refused() -> None:
    files = zip_of([*unpacked(GENUINE), File("README.md", b"x")])
    assert problem_of(files.replace(b"README.md", b"README\0md"))


def test_what_unpacks_to_more_than_it_says_is_refused() -> None:
    """A bomb says little of itself; whoever reads it stops at what was said."""
    bomb = packs.pack_file(File("README.md", bytes(40_000_000)), NOW)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("manifest.json", bytes(200_000_000))
    assert len(content.getvalue()) < 300_000
    assert "larger than a file" in problem_of(content.getvalue())
    listed = [{"path": "README.md", "packed_bytes": len(bomb.packed), "content_bytes": 10, "content_crc32": bomb.content_crc32}]  # fmt: skip
    lying = bomb.packed + packs.pack_directory(listed, NOW).packed
    pack = verify_pack.Pack(io.BytesIO(lying))
    with pytest.raises(verify_pack.Refused):
        pack.content("README.md", 1_000_000)


def test_more_than_a_pack_may_hold_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, told_of in (("MOST_FILES", "too much"), ("MOST_TOTAL_BYTES", "too much"), ("MOST_PACK_BYTES", "larger")):
        with monkeypatch.context() as patch:
            patch.setattr(verify_pack, limit, 5)
            assert told_of in problem_of(GENUINE)


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_pack, "MOST_LINE_BYTES", 100_000)
    endless = PackMaker(
        KEY, spoil=lambda files: changed(files, "audit-log/entries-0001.jsonl", lambda _: b"x" * 500_000)
    )
    assert "too long" in problem_of(endless.build())


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(method: int) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as made:
        made.writestr("manifest.json", b"{}")
    assert "not ours" in problem_of(content.getvalue())


def test_a_manifest_of_another_version_says_so() -> None:
    assert "version" in problem_of(PackMaker(KEY, facts={"format_version": 2}).build())


@pytest.mark.parametrize("files", [None, {}, [1], [{"path": "../x", "sha256": "0" * 64, "bytes": 1}], [{"path": "manifest.json", "sha256": "0" * 64, "bytes": 1}], [{"path": "a", "sha256": "x", "bytes": 1}], [{"path": "a", "sha256": "0" * 64, "bytes": -1}], [{"path": "a", "sha256": "0" * 64, "bytes": True}]])  # fmt: skip
def test_a_manifest_that_is_none_is_refused(files: Any) -> None:
    content = json.dumps(
        {"format": packs.FORMAT, "format_version": 1, "organisation": {"id": "x"}, "files": files}
    ).encode()
    with pytest.raises(verify_pack.Refused):
        verify_pack.read_manifest(content)


# The command


def test_the_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack, keys = tmp_path / "pack.zip", tmp_path / "keys.json"
    pack.write_bytes(GENUINE)
    keys.write_bytes(packs.pretty(KEY.jwks()))
    known = f"7:{PackMaker(KEY).whole[6].hash.hex()}"
    assert verify_pack.main([str(pack), "--keys", str(keys), "--known", known, "--organisation", str(ORG)]) == 0
    assert "VERIFIED: signed by export-signing-1; 8 files; 7 entries" in capsys.readouterr().out
    pack.write_bytes(GENUINE[:-1])
    assert verify_pack.main([str(pack), "--keys", str(keys)]) == 1
    assert "NOT GENUINE" in capsys.readouterr().out
    keys.write_bytes(b"{}")
    assert verify_pack.main([str(pack), "--keys", str(keys)]) == 2
    assert verify_pack.main([str(tmp_path / "gone.zip"), "--keys", str(keys)]) == 2
    for wrong in ("x", "1:2", "-1:" + "0" * 64):
        with pytest.raises(SystemExit):
            verify_pack.main([str(pack), "--keys", str(keys), "--known", wrong])


def test_it_needs_nothing_but_python() -> None:
    tree = ast.parse(Path(verify_pack.__file__).read_bytes(), feature_version=(3, 9))
    found = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [item.name for item in node.names] if isinstance(node, ast.Import) else [node.module or "."] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert found <= sys.stdlib_module_names
