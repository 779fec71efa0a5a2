"""No secret in any log, command line, answer, audit log, traceback or file of a backup: a real radio, at DEBUG."""

from __future__ import annotations

import base64
import http.cookiejar
import logging
import os
import re
import resource
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from makers_radio_processes import DONG_DANG, Commune
from makers_sound import utc_now

from controller import audit_export, settings
from controller.desk import Lending
from controller.desk.wishes import Enrolment
from controller.rights import Role
from edge_node import settings as node_settings
from words import discretion
from words.discretion import MASK, Discreet, masked

PASSWORD, BROKER, DATABASE = "mật-khẩu-kín-9481", "broker-kin-77310", "database-kin-55123"
PASSPHRASE = "câu dài chỉ dùng trong thử nghiệm này"


class Radio:
    """A radio at DEBUG, a person in it, and all its secrets by name."""

    def __init__(self, folder: Path) -> None:
        self.commune = Commune(folder, nodes=1, fast=True, log_level="DEBUG", broker_user="loa", broker_password=BROKER)
        self.secrets = {"the broker's password": BROKER, "a password": PASSWORD, "a passphrase": PASSPHRASE}
        self.said: list[str] = []
        jar = http.cookiejar.CookieJar()
        self.jar, self.web = jar, urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def get(self, path: str, **form: str) -> str:
        """A page, errors too; what it says is kept."""
        data = urllib.parse.urlencode(form).encode() if form else None
        try:
            with self.web.open(self.commune.demo.address + path, data, timeout=90) as answer:
                said = answer.read().decode()
        except urllib.error.HTTPError as wrong:
            said = wrong.read().decode()
        self.said.append(said)
        return said

    def post(self, path: str, page: str, **form: str) -> str:
        key = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page))
        assert key
        return self.get(path, csrf_token=key[1], **form)

    def loa(self, *words: str) -> str:
        """The command line, as a program beside the station."""
        told = {f"LOA_{name.upper()}": _told(value) for name, value in self.commune.demo.told.items()}
        command = [sys.executable, "-m", "loa", *words]
        env = os.environ | told
        ran = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120, check=False)
        self.said.append(ran.stdout + ran.stderr)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr


def _told(value: object) -> str:
    """A setting as the environment tells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture(scope="module")
def radio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radio]:
    """Everything that deals with a secret has been done once, rightly and wrongly."""
    made = Radio(tmp_path_factory.mktemp("discreet"))
    demo = made.commune.demo
    usual = demo._node_settings
    demo._node_settings = lambda *of: (
        usual(*of)
        | {  # type: ignore[method-assign]
            "log_level": "debug",
            "broker_user": "loa",
            "broker_password": BROKER,
        }
    )
    made.commune.start()
    try:
        drive(made)
        yield made
    finally:
        made.commune.stop()


def drive(radio: Radio) -> None:
    demo = radio.commune.demo
    invitation = demo.invitation().rpartition("/")[2]
    wrong = demo.invitation().rpartition("/")[2]
    radio.get(f"/chao/{wrong}", password="x")  # no form key
    radio.post(f"/chao/{invitation}", f"/chao/{invitation}", password=PASSWORD, again=PASSWORD)
    radio.post("/dang-nhap", "/dang-nhap", name="quan-tri", password=PASSWORD + "x")
    radio.post("/dang-nhap", "/dang-nhap", name=PASSWORD, password="sai")  # in the wrong field
    radio.said.pop()  # which shows to whoever typed it what they typed
    code = demo.desk.invite_node(Enrolment("loa-9", "Loa 9", DONG_DANG), demo.admin, utc_now())
    radio.get("/khong-co?token=" + wrong)
    radio.secrets |= {"an open invitation": wrong, "a used invitation": invitation}
    radio.secrets |= {f"cookie {each.name}": each.value or "" for each in radio.jar}
    radio.secrets["a one-time code"] = str(getattr(code, "text", code))
    lending = Lending("cong-dan", Role.VIEWER, DONG_DANG, utc_now() + timedelta(days=9))
    token = radio.secrets["a program's token"] = demo.desk.make_token(lending, demo.admin, utc_now())[1]
    radio.web.addheaders = [("Authorization", f"Bearer {token}")]
    assert "cong-dan" in radio.get("/api/v1/me")
    radio.get("/api/v1/audit")
    radio.get("/khong-co?khoa=" + token)
    radio.web.addheaders = []
    keys = demo.asked.folder.rglob("*.key")
    for path in keys:
        content = path.read_bytes()
        for form in (content.decode("latin-1").strip(), content.hex(), base64.b64encode(content).decode()):
            radio.secrets[f"{path.name}, {len(form)} characters"] = form
    (demo.asked.folder / "passphrase").write_text(PASSPHRASE)
    kept = str(demo.asked.folder / "kept.age")
    radio.loa("backup", kept, "--passphrase-file", str(demo.asked.folder / "passphrase"))
    radio.loa("audit", "list", "--json")
    radio.commune.demo.announce("Mời bà con đi họp.")
    radio.commune.wait(lambda: radio.commune.store.asrun.stored() > 0)


def told(radio: Radio, where: str, text: str) -> None:
    found = [name for name, secret in radio.secrets.items() if len(secret) >= 6 and secret in text]
    assert found == [], f"{where} tells {found}"


def test_the_driver_knows_its_secrets(radio: Radio) -> None:
    assert {"a password", "an open invitation", "cookie loa_phien", "a one-time code"} <= radio.secrets.keys()
    assert any("station.key" in name for name in radio.secrets)
    assert any("node.key" in name for name in radio.secrets)
    assert all(len(secret) >= 6 for secret in radio.secrets.values())
    with pytest.raises(AssertionError):  # what is looked for would be found
        told(radio, "this", f"… {radio.secrets['an open invitation']} …")


def test_no_log_tells_a_secret(radio: Radio) -> None:
    found = [Path(place) / name for place, _, names in os.walk(radio.commune.folder) for name in names]
    logs = [path for path in found if path.suffix in (".log", ".out", ".err")]
    assert sum(" INFO loa." in path.read_text("utf-8", "replace") for path in logs) >= 2, logs
    for path in logs:
        told(radio, str(path), path.read_text("utf-8", "replace"))


def test_no_command_line_tells_a_secret(radio: Radio) -> None:
    mine = psutil.Process().children(recursive=True)
    lines = []
    for each in mine:
        with suppress(psutil.NoSuchProcess):  # it has just ended
            lines.append(" ".join(each.cmdline()))
    assert any("loa" in line for line in lines)
    told(radio, "a command line", "\n".join(lines))


def test_no_page_no_answer_and_no_line_of_the_audit_log_tells_a_secret(radio: Radio) -> None:
    pages = "\n".join(radio.said)
    open_forms = {name for name in radio.secrets if name.startswith("cookie loa_bieu_mau")}
    open_forms |= {
        "an open invitation",
        "a used invitation",
    }  # stand in the form of the link itself, for whoever has it
    known = {name: secret for name, secret in radio.secrets.items() if name not in open_forms}
    assert [name for name, secret in known.items() if secret in pages] == []
    acts = "\n".join(str(each) for each in radio.commune.store.acts.recent(10_000))
    told(radio, "the audit log", acts)
    told(radio, "its export", b"".join(audit_export.lines(radio.commune.store)).decode())
    told(radio, "the settings in force", str(radio.commune.settings.in_force()))
    assert BROKER not in repr(radio.commune.settings)
    assert BROKER not in repr(node_settings.Settings("n", "a", (), Path("x"), broker_password=BROKER))


def test_a_backup_holds_nothing_in_the_clear(radio: Radio) -> None:
    kept = radio.commune.folder / "kept.age"
    told(radio, "the backup", kept.read_bytes().decode("latin-1"))


def test_whoever_runs_the_radio_leaves_no_core(radio: Radio) -> None:
    crew = [radio.commune.crew.controller, *radio.commune.crew.nodes.values()]
    for process in crew:
        assert process
        assert resource.prlimit(process.pid, resource.RLIMIT_CORE) == (0, 0)


def test_a_database_that_cannot_be_reached_does_not_cost_its_password(tmp_path: Path) -> None:
    url = f"postgresql://loa:{DATABASE}@127.0.0.1:1/loa"
    told = {"LOA_DATABASE_URL": url, "LOA_STATE_DIR": str(tmp_path), "LOA_LOG_LEVEL": "DEBUG"}
    for words in (["controller"],):
        command = [sys.executable, "-m", "loa", *words]
        env = os.environ | told
        ran = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120, check=False)
        assert ran.returncode != 0
        assert DATABASE not in ran.stdout + ran.stderr
    assert DATABASE not in str(settings.load(None, told).in_force())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cannot reach postgresql://loa:s3cr3t@db/loa", f"cannot reach postgresql://loa:{MASK}@db/loa"),
        ("GET /chao/abcdefgh12345678 404", f"GET /chao/{MASK} 404"),
        ("Cookie: loa_phien=abcdef; x", f"Cookie: loa_phien={MASK}; x"),
        ("{'password': 'geheim'}", f"{{'password': '{MASK}'}}"),
        ("api_key=12345 rest", f"api_key={MASK} rest"),
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {MASK}"),
        ("code KMW7-QX3P-94TR-HZ2N", f"code KMW7-{MASK}"),
        ("AGE-SECRET-KEY-1QQQQ", MASK),
        (f"GET /x?access=loa_{'a-_9' * 10}abc 404", f"GET /x?access=loa_{MASK} 404"),
        ("voiced announcement=a1 asset=ab12 seconds=3.0", "voiced announcement=a1 asset=ab12 seconds=3.0"),
        (
            "refused reason=bad_seal where=areas/lang-son:dong-dang/plan",
            "refused reason=bad_seal where=areas/lang-son:dong-dang/plan",
        ),
    ],
)
def test_what_has_the_shape_of_a_secret_is_masked_and_nothing_else(line: str, said: str) -> None:
    assert masked(line) == said


def test_a_traceback_is_masked_like_a_line() -> None:
    form = Discreet("%(message)s", ("known-secret",))
    try:
        raise ValueError("known-secret and postgresql://a:b-secret@c")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed %s", ("known-secret",), sys.exc_info())
    said = form.format(record)
    assert "failed •••" in said
    assert "ValueError" in said
    assert not re.search("known-secret|b-secret", said.split("ValueError: ")[1])


def test_libraries_do_not_log_what_passes_through_them() -> None:
    code = "import logging; from words import discretion; discretion.start_log('DEBUG')\n"
    code += f"print([logging.getLogger(n).getEffectiveLevel() for n in {discretion._CHATTY!r}])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(eval(ran.stdout)) == {logging.WARNING}
