"""A finding: a sentence, and whether it is good news."""

from __future__ import annotations

from dataclasses import dataclass

from words import say


@dataclass(frozen=True)
class Finding:
    """``key`` names the sentence in the room ``node``; ``facts`` fill it."""

    good: bool
    key: str
    facts: dict[str, object]

    def say(self, language: str) -> str:
        """The sentence."""
        return say(self.key, language, **self.facts)

    def plain(self, language: str) -> dict[str, object]:
        """For programs."""
        return {"good": self.good, "key": self.key.partition(".")[2], "sentence": self.say(language)}


def well(key: str, **facts: object) -> Finding:
    """Something is as it should be, or nothing that anybody must mend."""
    return Finding(True, key, facts)


def wrong(key: str, **facts: object) -> Finding:
    """Something is to be mended."""
    return Finding(False, key, facts)
