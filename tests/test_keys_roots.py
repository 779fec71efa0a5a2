"""Several roots at the station: made, kept on paper, signing apart, changed; and what too few of them cannot do."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers_keys import change
from makers_loa import Loa, at_home, in_this_process
from msgspec.structs import replace

from controller import drafts, keyring, keys, root_paper
from controller.keyring import ROOT, STATION, Keyring, KeyTrouble
from controller.store import Store
from edge_node.gate import Admitted, Gate
from wire.roots import RootSet
from wire.seal import Signer
from wire.topics import TRUST
from wire.trust import Cosigner

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
A, B, C, D = (Signer(letter * 32) for letter in (b"a", b"b", b"c", b"d"))


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "keys")


def founded(ring: Keyring, store: Store) -> None:
    """A station under two of three roots, which do not lie there."""
    keys.found(ring, store, (A, B, C), 2)
    keys.establish(ring, store, ("lang-son",), NOW, (A, B))


def message(store: Store) -> bytes:
    held = store.documents.get(keys.TRUST_NAME)
    assert held
    return held.envelope


# --- on paper ------------------------------------------------------------------------------------------------


@given(st.binary(min_size=32, max_size=32))
def test_what_is_typed_from_paper_is_the_key(secret: bytes) -> None:
    signer = Signer(secret)
    typed = "\n".join(root_paper.lines(signer))
    assert root_paper.read(typed).secret == secret
    assert root_paper.read(typed.lower().replace("-", " ")).secret == secret


@given(st.binary(min_size=32, max_size=32), st.integers(0, 7), st.integers(0, 6))
def test_a_wrong_letter_is_found_in_its_line(secret: bytes, line: int, at: int) -> None:
    lines = [each.replace("-", "") for each in root_paper.lines(Signer(secret))]
    letters = lines[line]
    found = 0
    for other in root_paper.ALPHABET:
        if other == letters[at]:
            continue
        typed = [*lines[:line], letters[:at] + other + letters[at + 1 :], *lines[line + 1 :]]
        try:
            assert root_paper.read("\n".join(typed)).secret != secret
        except root_paper.BadPaper as wrong:
            found += wrong.line == line + 1
    assert found >= 26  # of 31; one in 256 gets past each


@pytest.mark.parametrize("typed", ["", "ABCD", "I" * 64, "2" * 63, "%" * 64, "2" * 5000])
def test_what_is_no_key_on_paper_is_refused(typed: str) -> None:
    with pytest.raises(root_paper.BadPaper):
        root_paper.read(typed)


def test_lines_that_changed_places_are_found() -> None:
    lines = root_paper.lines(A)
    with pytest.raises(root_paper.BadPaper) as wrong:
        root_paper.read("\n".join([lines[1], lines[0], *lines[2:]]))
    assert wrong.value.line == 1


def test_a_sheet_has_every_line_a_code_and_no_script() -> None:
    page = root_paper.page(A, "Loa <1/3>")
    assert all(line in page for line in root_paper.lines(A))
    assert "<svg" in page
    assert "&lt;1/3&gt;" in page
    assert "<script" not in page


# --- two of three --------------------------------------------------------------------------------------------


def test_a_station_begins_under_two_of_three_roots(ring: Keyring, store: Store) -> None:
    founded(ring, store)
    assert keys.in_force(ring, store) == RootSet.of([each.public.hex for each in (A, B, C)], 2)
    assert ring.public(ROOT) is None
    gate = Gate("loa-01", "lang-son:x", keys.in_force(ring, store))
    assert isinstance(gate.admit(TRUST.topic(), message(store), NOW), Admitted)
    with pytest.raises(KeyTrouble, match="loa key roots"):
        keys.found(ring, store, (D,), 1)


def test_one_root_of_two_changes_nothing(ring: Keyring, store: Store) -> None:
    founded(ring, store)
    before = message(store)
    with pytest.raises(KeyTrouble, match="root key"):
        change(ring, store, NOW)
    assert not ring.path("station-next").exists()
    for signers in ((A,), (D,), (A, D), (A, A)):
        with pytest.raises(KeyTrouble, match="Not enough roots"):
            change(ring, store, NOW, given=signers)
    assert message(store) == before
    own = ring.station().public.hex
    change(ring, store, NOW, stolen=True, given=(C, A))
    assert ring.station().public.hex != own


def test_a_draft_goes_from_root_to_root(ring: Keyring, store: Store) -> None:
    founded(ring, store)
    own = ring.station().public
    draft = keys.changed(ring, store, NOW, stolen=True)
    assert ring.station().public == own  # until it is published
    for signer in (B, C):
        with pytest.raises(KeyTrouble, match=r"root"):
            keys.publish(ring, store, draft, NOW)
        draft = drafts.read(drafts.codec.write(draft.signed(signer)))
    trust = keys.publish(ring, store, draft, NOW)
    assert ring.station().public != own
    assert [each.public_key for each in trust.grants] == [ring.station().public.hex]


def test_what_was_changed_after_it_was_signed_is_refused(ring: Keyring, store: Store) -> None:
    founded(ring, store)
    draft = keys.changed(ring, store, NOW).signed(A, B)
    text = draft.trust.text.replace('"lang-son"', '"*"')
    forged = replace(draft, trust=drafts.Sheet(text, draft.trust.seals))
    with pytest.raises(KeyTrouble, match="Not enough roots"):
        keys.publish(ring, store, forged, NOW)


def test_a_draft_that_knows_nothing_of_a_revocation_does_not_undo_it(ring: Keyring, store: Store) -> None:
    founded(ring, store)
    old, _ = change(ring, store, NOW, given=(A, B))
    slow = keys.with_cosigner(store, Cosigner("0" * 63 + "1", "hoa", ("*",), NOW, NOW), 2, NOW).signed(A, B)
    trust = keys.settle(ring, store, keys.without(ring, store, old.hex, NOW), NOW, (A, B))
    with pytest.raises(KeyTrouble, match="new draft"):
        keys.publish(ring, store, drafts.read(drafts.codec.write(slow)), NOW)
    assert keys.held_trust(store) == trust


def test_whatever_the_roots_say_lies_above_what_a_lost_store_had_said(ring: Keyring, store: Store) -> None:
    founded(ring, store)
    later = NOW + timedelta(days=30)  # what was sealed in between went down with the disk
    entry = Cosigner("0" * 63 + "1", "hoa", ("*",), NOW, later)
    acts = [
        lambda: keys.with_cosigner(store, entry, 2, later),
        lambda: keys.changed(ring, store, later),
        lambda: keys.with_roots(ring, store, [A.public], 1, later),
    ]
    for act in acts:
        assert act().says.serial >= int(later.timestamp())


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"trust":{"text":"x"}}', b"\xff" * 9, b"{" * 9999])
def test_a_file_that_is_no_draft_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        drafts.read(raw)


# --- a change of roots ---------------------------------------------------------------------------------------


def test_roots_change_and_nodes_follow(ring: Keyring, store: Store) -> None:
    ring.make(ROOT)
    keys.establish(ring, store, (), NOW)
    old = keys.in_force(ring, store)
    gate = Gate("loa-01", "lang-son:x", old)
    assert isinstance(gate.admit(TRUST.topic(), message(store), NOW), Admitted)
    draft = keys.with_roots(ring, store, [each.public for each in (B, C, D)], 2, NOW)
    with pytest.raises(KeyTrouble, match="Not enough roots"):
        keys.settle(ring, store, draft, NOW, (B,))  # the old one and too few of the new
    with pytest.raises(KeyTrouble, match="Not enough roots"):
        keys.publish(ring, store, draft.signed(B, C), NOW)  # the new ones alone
    keys.settle(ring, store, draft, NOW, (B, D))
    assert (keys.in_force(ring, store).threshold, keys.in_force(ring, store).version) == (2, 1)
    assert isinstance(gate.admit(TRUST.topic(), message(store), NOW), Admitted)
    assert gate.roots == keys.in_force(ring, store)
    later = NOW + timedelta(days=400)
    with pytest.raises(KeyTrouble):
        keys.establish(ring, store, (), later)  # the old root alone
    keys.establish(ring, store, (), later, (C, D))
    away = Gate("loa-02", "lang-son:x", old)  # it was away all the time
    assert isinstance(away.admit(TRUST.topic(), message(store), later), Admitted)


def test_a_cut_between_store_and_file_loses_no_change(
    ring: Keyring, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    founded(ring, store)
    draft = keys.with_roots(ring, store, [C.public, D.public], 2, NOW).signed(A, B, C, D)

    def cut(*_: object) -> None:
        raise KeyTrouble("keys.unwritable", path="x", why="power")

    monkeypatch.setattr(Keyring, "note_roots", cut)
    with pytest.raises(KeyTrouble):
        keys.publish(ring, store, draft, NOW)
    monkeypatch.undo()
    assert keys.in_force(ring, store).version == 1
    keys.establish(ring, store, ("lang-son",), NOW + timedelta(days=400), (C, D))
    assert keys.in_force(ring, store).version == 1


# --- at the command line -------------------------------------------------------------------------------------


@pytest.fixture
def loa(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loa:
    at_home(monkeypatch, tmp_path / "home")
    return in_this_process(capsys)


def test_the_whole_way_at_the_command_line(loa: Loa, tmp_path: Path) -> None:
    sticks = [tmp_path / name for name in "abc"]
    to = [part for stick in sticks for part in ("--to", stick)]
    loa("key", "init", "--roots", "3", "--threshold", "2", *to[:4]).refuses(1, "3 folders")
    told = loa("key", "init", "--roots", "3", "--threshold", "2", *to)
    assert told.code == 0, told
    assert "2 of 3" in told.out
    assert all((stick / "root.key").stat().st_mode & 0o077 == 0 for stick in sticks)
    loa("key", "change").refuses(1, "root key")
    loa("key", "change", "--root", sticks[0]).refuses(1, "Not enough roots")
    draft = tmp_path / "trust.draft"
    assert loa("key", "trust", "draft", draft).code == 0
    loa("key", "trust", "sign", draft).refuses(1, "--root")
    for stick in sticks[1:]:
        loa("key", "trust", "publish", draft).refuses(1, "trust sign")
        signed = loa("key", "trust", "sign", draft, "--root", stick)
        assert re.search("up to emergency", signed.out), signed
    assert loa("key", "trust", "publish", draft).code == 0
    new = [part for name in "de" for part in ("--to", tmp_path / name)]
    old = ["--root", sticks[0], "--root", sticks[2]]
    assert loa("key", "roots", "--roots", "2", "--threshold", "1", *new, *old).code == 0
    assert loa("key", "change", "--stolen", "--root", tmp_path / "e").code == 0
    loa("key", "change", "--root", sticks[0], "--root", sticks[1]).refuses(1, "Not enough roots")


def test_a_root_that_is_only_paper_signs_by_being_typed(
    loa: Loa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = loa("key", "init", "--roots", "1", "--paper-only", "--to", tmp_path / "sheet")
    assert made.code == 0, made
    assert not (tmp_path / "sheet" / "root.key").exists()
    page = (tmp_path / "sheet" / "root.html").read_text()
    lines = re.findall(r"<li>([^<]+)</li>", page)
    draft = tmp_path / "trust.draft"
    loa("key", "trust", "draft", draft)
    right = iter(lines)
    monkeypatch.setattr("builtins.input", lambda _: next(right))
    assert loa("key", "trust", "sign", draft, "--typed").code == 0
    assert loa("key", "trust", "publish", draft).code == 0
    wrong = iter(["AAAA-AAAA"] * 8)
    monkeypatch.setattr("builtins.input", lambda _: next(wrong))
    told = loa("key", "trust", "sign", draft, "--typed")
    assert told.code == 1
    assert "Line 1" in told.err


# --- at rest -------------------------------------------------------------------------------------------------

WORDS = "mười hai chữ cái trở lên"


def relock(ring: Keyring, words: str) -> None:
    content = ring.rewritten(STATION, words)
    assert content
    ring.path(STATION).write_bytes(content)


def test_a_locked_key_tells_its_public_half_and_no_other(ring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ring.make(STATION)
    relock(ring, WORDS)
    content = ring.path(STATION).read_bytes()
    assert made.secret.hex().encode() not in content
    assert made.secret not in content
    assert ring.path(STATION).stat().st_mode & 0o077 == 0
    monkeypatch.setattr(keyring, "_opened", {})
    nobody = Keyring(ring.folder, ask=lambda _: None)
    assert nobody.public(STATION) == made.public
    with pytest.raises(KeyTrouble, match="LoadCredentialEncrypted"):
        nobody.station()
    with pytest.raises(KeyTrouble, match="does not open"):
        Keyring(ring.folder, ask=lambda _: "another passphrase").station()
    assert Keyring(ring.folder, ask=lambda _: WORDS).station().public == made.public


def test_systemd_hands_the_passphrase_over(ring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ring.make(STATION)
    relock(ring, WORDS)
    monkeypatch.setattr(keyring, "_opened", {})
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "loa-keys").write_text(WORDS + "\n")
    assert Keyring(ring.folder, ask=lambda _: None).station().public == made.public


@pytest.mark.parametrize("words", ["", "short", "x" * 1025])
def test_a_passphrase_that_protects_nothing_is_refused(ring: Keyring, words: str) -> None:
    made = ring.make(STATION)
    with pytest.raises(KeyTrouble, match="12 to 1024"):
        relock(ring, words)
    assert ring.path(STATION).read_text().strip() == made.secret.hex()


def test_a_locked_file_that_was_changed_opens_for_nobody(ring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    ring.make(STATION)
    relock(ring, WORDS)
    content = ring.path(STATION).read_text()
    other = Signer(b"o" * 32).public.hex
    mine = re.search(r'"public_key":"([0-9a-f]{64})"', content)
    assert mine
    spoilt = (content.replace(mine[1], other), content.replace('"scrypt_log_n":16', '"scrypt_log_n":40'), content[:-9])
    for each in spoilt:
        monkeypatch.setattr(keyring, "_opened", {})
        ring.path(STATION).write_text(each)
        with pytest.raises(KeyTrouble):
            Keyring(ring.folder, ask=lambda _: WORDS).station()


def test_a_changed_key_is_locked_as_the_old_one_was(
    ring: Keyring, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.establish(ring, store, (), NOW)
    relock(ring, WORDS)
    asking = Keyring(ring.folder, ask=lambda _: WORDS)
    change(asking, store, NOW)
    assert asking.is_locked(STATION)
    monkeypatch.setattr(keyring, "_opened", {})
    assert asking.station().public == asking.public(STATION)


def test_keys_are_locked_and_unlocked_at_the_command_line(
    loa: Loa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "_opened", {})
    loa("key", "init")
    (tmp_path / "words").write_text(WORDS + "\n")
    loa("key", "lock").refuses(1, "passphrase")
    assert loa("key", "lock", "--passphrase-file", tmp_path / "words").code == 0
    folder = tmp_path / "home" / "keys"
    assert WORDS.encode() not in b"".join(each.read_bytes() for each in folder.glob("*.key"))
    assert Keyring(folder).is_locked(STATION)
    assert loa("key", "show").code == 0  # asks for nothing
    monkeypatch.setattr(keyring, "_opened", {})
    loa("key", "unlock").refuses(1, "locked")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "loa-keys").write_text(WORDS)
    assert loa("key", "unlock").code == 0
    assert not Keyring(folder).is_locked(STATION)
    told = loa("audit", "list").out
    assert [what for what in ("unlocked keys", "locked keys", "sealed trust") if what not in told] == []
