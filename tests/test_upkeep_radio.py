"""One loudspeaker is tried out over the whole street: a real broker, a real station, real nodes; then it is in work."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from makers_radio_processes import DONGDANG, TAMTHANH, Commune
from makers_sound import utc_now

from controller.studio import Archive, try_tone
from wire.receipt import Step


def test_a_tone_sounds_on_one_loudspeaker_alone_and_maintenance_is_over_by_itself(tmp_path: Path) -> None:
    radio = Commune(tmp_path, fast=True, quiet_since="00:00", quiet_until="00:00")
    try:
        radio.start()
        radio.wait(lambda: radio.online(DONGDANG) and radio.online(TAMTHANH))
        desk, admin = radio.demo.desk, radio.demo.admin
        kept = Archive(radio.settings.recordings_dir).keep(try_tone.write(tmp_path / "tone.wav"))
        tried = str(desk.try_out(DONGDANG, kept, "k", admin, utc_now()).booking_id)
        heard = radio.outcome(tried, DONGDANG)
        assert (heard.step, heard.title[:15]) == (Step.SOUNDED, "Phát tiếng thử:")
        assert heard.measured
        assert heard.measured.level_dbfs > -40
        assert radio.store.asrun.receipts(tried, TAMTHANH) == []  # nobody else ever heard of it
        last = radio.store.past.last_sounded(DONGDANG)
        assert last
        assert last.job == tried
        desk.maintain(DONGDANG, "thay ắc quy", utc_now() + timedelta(seconds=2), admin, utc_now())
        radio.wait(lambda: not any(node.maintenance for node in radio.nodes))
        assert radio.store.acts.recent(limit=1)[0].what == "maintenance over"
    finally:
        radio.stop()
