"""A real node of a real radio goes from one version of this program to the next by itself, and goes on sounding."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from makers_radio_processes import TAM_THANH, Commune
from makers_release import PROJECT, SLOW, Home, Supervisor, form, needs, start_updater, statement, tar, until, wheel
from makers_sound import utc_now

from controller.keys import ROOT, Keyring
from controller.studio import Shelf
from edge_node.releases import signs
from edge_node.releases.progress import Phase
from wire import codec, seal
from wire.release import KIND


def own_wheel(version: str) -> tuple[str, bytes]:
    """This program as a wheel, as it stands here: of the packages that pyproject.toml names, those a node uses."""
    told = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    named = told["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    # pip compiles what it installs: the others would only take time
    packages = [name for name in named if name not in ("controller", "fleet", "bench")]
    found = [path for name in packages for ending in ("py", "toml") for path in (PROJECT / name).rglob(f"*.{ending}")]
    files = {str(path.relative_to(PROJECT)): path.read_text("utf-8") for path in found}
    return wheel("loa-radio", version, files, f"loa = {told['project']['scripts']['loa']}")


def borrowed() -> tuple[str, bytes]:
    """The libraries: those of whoever runs the tests."""
    return wheel("loa-borrowed", "1.0", {"loa_borrowed.pth": f"{Path(msgspec.__file__).parent.parent}\n"})


def own_bundle(version: str) -> bytes:
    wheels = [own_wheel(version), borrowed()]
    texts = {"bundle.toml": form(version).encode(), "requirements.txt": needs(*wheels).encode()}
    return tar(texts | {f"wheels/{name}": content for name, content in wheels})


def set_up(environment: Path, version: str) -> None:
    """The environment as an installer left it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = next(environment.glob("lib/*/site-packages"))
    for _, content in (own_wheel(version), borrowed()):
        zipfile.ZipFile(BytesIO(content)).extractall(packages)
    script = environment / "bin" / "loa"
    script.write_text(f"#!{environment}/bin/python\nimport sys\nfrom loa.__main__ import main\nsys.exit(main())\n")
    script.chmod(0o755)


@pytest.fixture
def commune(tmp_path: Path) -> Iterator[Commune]:
    commune = Commune(tmp_path / "radio", nodes=1)
    try:
        commune.start()
        yield commune
    finally:
        commune.stop()


def test_a_node_goes_to_the_next_version_between_two_broadcasts(commune: Commune, tmp_path: Path) -> None:
    node = commune.nodes[0].id
    home = Home(tmp_path / "machine", version="0.1.0")
    home.config = commune.folder / f"{node}.toml"
    home.state = Path(tomllib.loads(home.config.read_text("utf-8"))["state_dir"])
    (home.prefix / "a").rmdir()
    set_up(home.prefix / "a", "0.1.0")
    commune.kill_node(node)
    finish(start_updater(home, pace=SLOW))  # at boot: nothing is asked, but now it is known that there is one

    with Supervisor(home) as supervisor:
        version = lambda: commune.demo.store.health.condition(node).version  # noqa: E731
        until(lambda: commune.online(node))
        before = commune.book((TAM_THANH,), 3.0)
        commune.wait_for_sound(node, before)
        content = own_bundle("0.2.0")
        release = statement(content, "0.2.0", int(utc_now().timestamp()))
        root = Keyring(commune.settings.keys_dir).find(ROOT)
        assert root
        (tmp_path / "bundle.tar").write_bytes(content)
        Shelf(commune.settings.shelf_dir).add(tmp_path / "bundle.tar")
        raw = seal.seal(KIND, codec.write(release), root)
        commune.demo.desk.publish_release(release, raw, [node], commune.demo.admin, utc_now())

        until((home.state / "update" / signs.REQUEST).exists)
        assert commune.outcome(before, node).step.value == "sounded"  # it asked only then
        finish(start_updater(home, supervisor.tools, pace=SLOW))
        assert (home.progress.phase, home.current, home.steady) == (Phase.DONE, "b", "b")
        until(lambda: version() == "0.2.0")
        after = commune.book((TAM_THANH,), 2.0)
        assert commune.outcome(after, node).step.value == "sounded"
        for job in (before, after):
            assert [commune.alike(node, part) > 0.9 for part in commune.parts(node, job)] == [True]
        until(lambda: commune.demo.store.health.condition(node).health.update.state == "installed")
        assert (supervisor.tools / "asked").read_text() == "restart loa-node.service\n"


def finish(updater: subprocess.Popen[bytes]) -> None:
    _, said = updater.communicate(timeout=300)
    assert updater.returncode == 0, said.decode()
