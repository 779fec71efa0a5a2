"""The order of fetching and the shares of a day's data, on every kind of plan."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as some
from makers_node import T0, after, make_asset, make_config, make_emergency, make_job, make_relay

from schedules import fetching
from schedules.fetching import Want
from wire.plan import BulletinClass, Job

SIREN, KEPT = make_asset("siren"), make_asset("kept")
BUDGET = 10_000_000
HOUR = 3600


def config(budget_bytes: int = BUDGET) -> object:
    return make_config(standby=(SIREN, KEPT), siren=SIREN.sha256, data_budget_bytes_per_day=budget_bytes)


def jobs() -> some.SearchStrategy[list[Job]]:
    def made(drawn: list[tuple[str, int, int]]) -> list[Job]:
        kinds = {"e": make_emergency, "r": make_relay, "o": make_job, "p": make_job}
        found = []
        for number, (kind, hours, file) in enumerate(drawn):
            asset = make_asset(f"f{file}")
            more: dict[str, object] = {"fallback": asset} if kind == "r" else {"asset": asset}
            if kind == "p":
                more["bulletin_class"] = BulletinClass.PRIORITY
            found.append(kinds[kind](f"{kind}{number}", after(hours * HOUR), **more))
        return found

    drawn = some.tuples(some.sampled_from("eorp"), some.integers(-5, 330), some.integers(0, 8))
    return some.lists(drawn, max_size=30).map(made)


@given(jobs(), some.sampled_from([0, BUDGET]))
def test_what_is_needed_sooner_is_fetched_first_and_nothing_is_forgotten(plan: list[Job], budget: int) -> None:
    order = fetching.order(plan, config(budget), T0)  # type: ignore[arg-type]
    names = [want.asset.sha256 for want in order]
    needed = {job.relay.fallback if job.relay else job.asset for job in plan}
    assert sorted(names) == sorted({each.sha256 for each in needed if each} | {SIREN.sha256, KEPT.sha256})
    emergencies = {job.asset.sha256 for job in plan if job.asset and job.id.startswith("e")}
    assert set(names[: len(emergencies)]) == emergencies
    assert names[len(emergencies)] == SIREN.sha256
    assert names[-1] == KEPT.sha256
    rest = names[len(emergencies) + 1 : -1]
    first = [min(job.start for job in plan if _file(job) == name) for name in rest]
    assert first == sorted(first)


@given(jobs())
def test_a_ceiling_holds_back_what_matters_less_before_what_matters_more(plan: list[Job]) -> None:
    tomorrow = fetching.midnight_after(T0, "Asia/Ho_Chi_Minh")
    ceilings = {want.asset.sha256: want.ceiling_bytes for want in fetching.order(plan, config(), T0)}  # type: ignore[arg-type]
    assert ceilings[SIREN.sha256] is None
    assert ceilings[KEPT.sha256] is None
    for job in plan:
        ceiling = ceilings[_file(job)]
        if job.id.startswith("e"):
            assert ceiling is None
        elif ceiling is not None:
            today = job.start < tomorrow
            least = 0.8 if not today else 1.0 if job.id.startswith("p") else 0.9
            assert least * BUDGET <= ceiling <= BUDGET
    for name, ceiling in ceilings.items():
        users = [job for job in plan if _file(job) == name]
        if users and all(job.start >= tomorrow and not job.id.startswith("e") for job in users):
            assert ceiling == 0.8 * BUDGET


def test_the_order_of_a_day_by_hand() -> None:
    tonight, next_week = make_job("b1", after(5 * HOUR), asset=make_asset("x")), make_job("b2", after(170 * HOUR))
    alarm = make_emergency("e1", after(300 * HOUR), asset=make_asset("z"))
    urgent = make_job("b3", after(6 * HOUR), asset=make_asset("y"), bulletin_class=BulletinClass.PRIORITY)
    order = fetching.order([next_week, urgent, tonight, alarm], config(), T0)  # type: ignore[arg-type]
    assert order == [
        Want(make_asset("z")),
        Want(SIREN),
        Want(make_asset("x"), 9_000_000),
        Want(make_asset("y"), 10_000_000),
        Want(make_asset(), 8_000_000),
        Want(KEPT),
    ]


def test_without_a_budget_nothing_has_a_ceiling() -> None:
    order = fetching.order([make_job("b1", after(400 * HOUR))], config(0), T0)  # type: ignore[arg-type]
    assert [want.ceiling_bytes for want in order] == [None] * 3
    assert fetching.stream_ceiling(0) is None


def test_a_day_ends_at_the_local_midnight() -> None:
    assert fetching.midnight_after(T0, "Asia/Ho_Chi_Minh") == T0 + timedelta(hours=14)


def _file(job: Job) -> str:
    file = job.relay.fallback if job.relay else job.asset
    assert file
    return file.sha256
