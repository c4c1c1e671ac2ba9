"""What a verification ends with: one of four verdicts, and the text that says it.

V1: a report lists the checks that were made; a failure names the first thing that did not hold and the checks before it.
Format: docs/formats/verdicts.md.
"""

from contextlib import contextmanager
from dataclasses import dataclass, field

VALID, TAMPERED, MALFORMED, INCONCLUSIVE = range(4)
_NAMES = {TAMPERED: "TAMPERED", MALFORMED: "MALFORMED", INCONCLUSIVE: "INCONCLUSIVE"}


class Failure(Exception):
    """Ends a verification: `what` was looked at, and `why` it does not hold."""

    code = MALFORMED

    def __init__(self, what: str, why: str):
        super().__init__(what, why)
        self.what, self.why = what, why


class Tampered(Failure):
    code = TAMPERED


class Malformed(Failure):
    code = MALFORMED


class Inconclusive(Failure):
    code = INCONCLUSIVE


@contextmanager
def in_part(place: str):
    """What fails within says where it is: in which of two checkpoints, in which row of a disclosure."""
    try:
        yield
    except Failure as failure:
        raise type(failure)(f"{place}: {failure.what}", failure.why) from None


@dataclass
class Report:
    """What has been found true so far."""

    subject: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)
    row: list[tuple[str, str]] = field(default_factory=list)
    disclosed: list["Report"] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    not_covered: list[str] = field(default_factory=list)


@dataclass
class Verdict:
    code: int
    text: str


def valid(report: Report) -> Verdict:
    lines = [f"VALID: {report.subject}", *_pairs(report.facts, ":")]
    if report.row:
        lines += ["row", *_pairs(report.row, " =")]
    for row in report.disclosed:
        lines += [row.subject, *_pairs(row.facts, ":"), *_pairs(row.row, " =")]
    lines += _titled("checked", report.checked)
    lines += _titled("not covered", report.not_covered)
    return Verdict(VALID, _text(lines))


def failed(failure: Failure, checked: list[str]) -> Verdict:
    first = f"{_NAMES[failure.code]}: {failure.what}: {failure.why}"
    lines = [first, *_titled("checked before that", checked)]
    return Verdict(failure.code, _text(lines))


def _pairs(pairs: list[tuple[str, str]], mark: str) -> list[str]:
    width = max(len(name) for name, _ in pairs) if pairs else 0
    return [f"  {name.ljust(width)}{mark} {value}" for name, value in pairs]


def _titled(title: str, lines: list[str]) -> list[str]:
    return [title, *(f"  - {line}" for line in lines)] if lines else []


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
