"""What a node tells of the audio it has: one receipt for a job and its audio, and what lacks, in health."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers_node import after, make_asset, make_config, make_emergency, make_job, make_relay
from makers_radio import Radio, changed

from edge_node.stock import GATHER_SECONDS, REST_SECONDS
from wire.errors import Reason
from wire.health import MOST_LACKING
from wire.plan import Asset, Job
from wire.receipt import Receipt, Step

DAY = 86_400


@pytest.fixture
def radio(tmp_path: Path) -> Radio:
    return Radio(tmp_path)


def missing(radio: Radio, *jobs: Job, why: Reason = Reason.NO_AUDIO) -> None:
    radio.cache.missing |= {job.asset.sha256: why for job in jobs if job.asset}


def comes(radio: Radio, *jobs: Job) -> None:
    for job in jobs:
        del radio.cache.missing[job.asset.sha256 if job.asset else ""]
        radio.cache.arrivals += 1


def told(radio: Radio) -> list[Receipt]:
    return [receipt for _, receipt in sorted(radio.received.items()) if receipt.step is Step.FETCHED]


def fortnight(items: int = 40) -> list[Job]:
    return [
        make_job(f"d{day}-{item}", after(DAY * (day + 1) + 60 * item), asset=make_asset(f"{day}.{item}"))
        for day in range(14)
        for item in range(items)
    ]


def test_a_job_whose_audio_is_here_is_told_once_even_over_restarts(radio: Radio) -> None:
    job = make_job(start=after(DAY))
    radio.plan(job)
    radio.start()
    radio.run(2 * GATHER_SECONDS)
    assert radio.fetched("b1") == [make_asset().sha256]
    assert [receipt.planned_start for receipt in told(radio)] == [job.start]
    for _ in range(3):
        radio.restart()
        radio.run(2 * REST_SECONDS, step=1)
    radio.plan()
    radio.run(5)
    radio.plan(job)  # it was withdrawn, and is planned again
    radio.run(2 * REST_SECONDS, step=1)
    assert radio.fetched("b1") == [make_asset().sha256]


def test_audio_that_came_for_another_job_is_told_too_and_an_edit_tells_the_new_one(radio: Radio) -> None:
    first, second = make_job("b1", after(DAY)), make_job("b2", after(2 * DAY))
    radio.plan(first)
    radio.start()
    radio.run(REST_SECONDS + 10, step=1)
    radio.plan(first, second)
    radio.run(REST_SECONDS + 10, step=1)
    assert radio.fetched("b2") == [make_asset().sha256]
    edited = changed(second, asset=make_asset("new"))
    missing(radio, edited)
    radio.plan(first, edited)
    radio.run(REST_SECONDS + 10, step=1)
    assert radio.fetched("b2") == [make_asset().sha256]
    comes(radio, edited)
    radio.run(REST_SECONDS + 10, step=1)
    assert radio.fetched("b2") == [make_asset().sha256, make_asset("new").sha256]


def test_two_weeks_of_audio_cost_few_writes(radio: Radio, monkeypatch: pytest.MonkeyPatch) -> None:
    """560 files that come within half an hour: a write and a message for each minute of it, no more."""
    jobs = fortnight()
    missing(radio, *jobs)
    radio.plan(*jobs)
    radio.start()
    radio.run(5, step=1)
    written: list[int] = []
    tell = radio.agent.ledger.fetched

    def counting(audio: dict[str, str], now: object) -> None:
        written.append(len(audio))
        tell(audio, now)  # type: ignore[arg-type]

    monkeypatch.setattr(radio.agent.ledger, "fetched", counting)
    for since in range(0, len(jobs), 28):
        comes(radio, *jobs[since : since + 28])
        radio.run(90, step=5)
    radio.run(2 * REST_SECONDS, step=5)
    assert sum(written) == len(told(radio)) == len(jobs)
    assert len(written) <= 31


def test_what_starts_soon_is_told_without_waiting_for_others(radio: Radio) -> None:
    later, soon = make_job("b1", after(DAY)), make_job("b2", after(300), asset=make_asset("x"))
    radio.plan(later)
    radio.start()
    radio.run(2 * GATHER_SECONDS)
    assert radio.fetched("b1")
    radio.plan(later, soon)
    radio.run(2 * GATHER_SECONDS)
    assert radio.fetched("b2")


def test_of_a_relay_the_fallback_is_told_and_what_needs_no_file_is_not(radio: Radio) -> None:
    spare = make_asset("spare")
    words = make_emergency("e1", after(DAY), asset=None, spoken="Nước lên.")
    radio.plan(make_relay("r1", after(DAY)), make_relay("r2", after(2 * DAY), fallback=spare))
    radio.urgent(words)
    radio.start()
    radio.run(2 * GATHER_SECONDS)
    assert [(receipt.job, receipt.asset) for receipt in told(radio)] == [("r2", spare.sha256)]
    assert radio.health[-1].lacking == ()


def test_a_job_that_sounds_or_has_ended_is_not_told(radio: Radio) -> None:
    job = make_job(start=after(2))
    missing(radio, job)
    radio.plan(job)
    radio.start()
    radio.run(4)
    comes(radio, job)
    radio.run(60)
    assert radio.outcome("b1").step is Step.SOUNDED
    assert radio.fetched("b1") == []


def test_health_names_what_lacks_the_most_urgent_first_and_says_where_the_list_is_cut(radio: Radio) -> None:
    jobs = fortnight(5)
    alarm = make_emergency("e1", after(20 * DAY), asset=make_asset("alarm"))
    missing(radio, *jobs, why=Reason.DISK_FULL)
    missing(radio, alarm, jobs[0])
    radio.cache.came = {jobs[0].asset.sha256: 5} if jobs[0].asset else {}
    radio.plan(*jobs)
    radio.urgent(alarm)
    radio.start()
    radio.run(70, step=1)
    health = radio.health[-1]
    assert health.lacking
    assert [(each.job, each.reason) for each in health.lacking[:3]] == [
        ("e1", "no_audio"),
        ("d0-0", ""),
        ("d0-1", "disk_full"),
    ]
    assert len(health.lacking) == MOST_LACKING
    assert health.lacking_from == jobs[MOST_LACKING - 1].start
    assert (health.jobs_ahead, health.audio_ready) == (71, 0)
    comes(radio, alarm, *jobs)
    radio.run(70, step=1)
    assert (radio.health[-1].lacking, radio.health[-1].lacking_from) == ((), None)


def test_the_budget_of_a_day_reaches_the_cache_and_what_it_used_reaches_the_station(radio: Radio) -> None:
    radio.configure(make_config(serial=2, data_budget_bytes_per_day=10_000_000, standby=(make_asset("siren"),)))
    radio.plan(make_job("b1", after(60)), make_job("b2", after(3 * DAY), asset=make_asset("x")))
    radio.start()
    assert radio.cache.ceilings == {make_asset().sha256: 9_000_000, make_asset("x").sha256: 8_000_000}
    radio.cache.meter.count(1234)
    radio.run(70, step=1)
    assert (radio.health[-1].data_used_day_bytes, radio.health[-1].data_used_month_bytes) == (1234, 1234)
    radio.run(DAY, step=30)
    assert (radio.health[-1].data_used_day_bytes, radio.health[-1].data_used_month_bytes) == (0, 1234)


def test_what_was_not_fetched_for_the_budget_is_missed_with_this_reason(radio: Radio) -> None:
    job = make_job(start=after(60), late_for=30)
    missing(radio, job, why=Reason.DATA_BUDGET)
    radio.plan(job)
    radio.start()
    radio.run(120, step=1)
    assert (radio.outcome("b1").step, radio.outcome("b1").reason) == (Step.MISSED, Reason.DATA_BUDGET)
    assert "data_budget" in {each.reason for health in radio.health for each in health.lacking or ()}


@pytest.mark.parametrize(("spare", "step"), [(None, Step.MISSED), (make_asset("spare"), Step.SOUNDED)])
def test_a_relay_without_data_is_missed_unless_something_stands_in_for_it(
    spare: Asset | None, step: Step, radio: Radio
) -> None:
    radio.configure(make_config(serial=2, data_budget_bytes_per_day=10_000_000))
    radio.plan(make_relay("r1", after(100), fallback=spare))
    radio.start()
    radio.cache.meter.count(9_000_000)
    radio.run(170, step=1)
    assert radio.outcome("r1").step is step
    assert radio.outcome("r1").reason == ("" if spare else "data_budget")
