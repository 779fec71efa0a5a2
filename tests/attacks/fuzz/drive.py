"""`./run fuzz [SECONDS] [TARGET]`: atheris feeds one target after another, each in a process of its own.

What is found lies in the folder that is named at the end, and is fed again with `./run fuzz 1 TARGET FILE`.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
TESTS, TOP = HERE.parents[1], HERE.parents[2]
MOST_INPUT_BYTES, SLOW_SECONDS, MOST_MEGABYTES = 20_000, 25, 2048
ROOMS = ["wire", "edge_node", "controller", "schedules"]


def one(name: str, seconds: str, corpus: str) -> None:
    """In this process: does not return."""
    import atheris

    with atheris.instrument_imports(include=ROOMS):
        from seeds import TOKENS, seeds
        from targets import TARGETS
    examples = seeds(name)

    def nearly(raw: bytes, most: int, seed: int) -> bytes:
        """Much of what reads is compiled, and its branches are not seen: so it begins with true examples ever again."""
        dice = random.Random(seed)
        made = dice.choice(examples) if dice.random() < 0.4 else raw
        for _ in range(dice.randrange(4)):
            at, over = dice.randint(0, len(made)), dice.choice((0, 0, dice.randrange(30)))
            made = made[:at] + dice.choice((*TOKENS, made[at : at + 40])) + made[at + over :]
        return atheris.Mutate(made[:most], most) if dice.random() < 0.7 else made[:most]

    told = [f"-max_total_time={seconds}", f"-max_len={MOST_INPUT_BYTES}", f"-timeout={SLOW_SECONDS}"]
    told += [f"-rss_limit_mb={MOST_MEGABYTES}", f"-artifact_prefix={corpus}/found-", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *told, corpus], TARGETS[name], custom_mutator=nearly)
    atheris.Fuzz()


def every(seconds: str, names: list[str]) -> int:
    """Each target for so long. How many were found wanting."""
    from seeds import seeds
    from targets import TARGETS

    wanting = 0
    for name in names or list(TARGETS):
        corpus = Path(tempfile.mkdtemp(prefix=f"loa-fuzz-{name}-"))
        for number, example in enumerate(seeds(name)):
            (corpus / f"seed-{number}").write_bytes(example)
        log = corpus.with_suffix(".log")
        with log.open("wb") as said:
            command = [sys.executable, __file__, "--one", name, seconds, str(corpus)]
            ended = subprocess.run(command, stdout=said, stderr=said, check=False)
        runs = [line.split()[-1] for line in log.read_text(errors="replace").splitlines() if "executed_units" in line]
        word = "ok" if ended.returncode == 0 else f"FOUND, see {log} and {corpus}/found-*"
        sys.stdout.write(f"{name:12} {runs[-1] if runs else '?':>10} runs  {word}\n")
        sys.stdout.flush()
        wanting += ended.returncode != 0
    return wanting


def main(arguments: list[str]) -> int:
    sys.path[:0] = [str(TOP), str(TESTS), str(HERE)]
    if arguments[:1] == ["--one"]:
        one(*arguments[1:])
    if len(arguments) == 3:  # one file, as it was found
        from targets import TARGETS

        TARGETS[arguments[1]](Path(arguments[2]).read_bytes())
        return 0
    from targets import TARGETS

    seconds = arguments[0] if arguments else "60"
    if not seconds.isdigit() or not set(arguments[1:2]) <= TARGETS.keys():
        sys.stderr.write(f"./run fuzz [SECONDS] [TARGET], TARGET one of {', '.join(TARGETS)}\n")
        return 2
    return 1 if every(seconds, arguments[1:2]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
