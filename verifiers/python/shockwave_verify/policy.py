"""C2SP policies: the keys that whoever verifies has pinned.

P1: keys come from here and from nowhere else.
P2: no public key is listed twice; every name is defined before it is used, and is a member once.
Format: docs/formats/receipt.md.
"""

from typing import NamedTuple

from shockwave_verify.note import Key, parse_key
from shockwave_verify.quote import escape
from shockwave_verify.verdict import Malformed
from shockwave_verify.witness import Group, Witness, parse_witness

POLICY_BYTES_MAX = 256 * 1024
ENTRIES_MAX = 64


class Policy(NamedTuple):
    logs: list[Key]
    witnesses: list[Witness]
    groups: list[Group]
    quorum: str | None


class _Refused(Exception):
    """Why a line is refused."""


def policy_of_keys(vkeys: list[str]) -> Policy:
    """The policy that believes exactly these keys."""
    keys = [parse_key(vkey.strip()) for vkey in vkeys]
    reader = _Reader()
    for number, key in enumerate(keys, 1):
        _numbered(number, lambda key=key: reader.add_log(key))
    return Policy(keys, [], [], None)


def parse_policy(data: bytes) -> Policy:
    if len(data) > POLICY_BYTES_MAX:
        raise Malformed("policy", "is longer than 256 KiB")
    reader = _Reader()
    for number, line in enumerate(data.split(b"\n"), 1):
        _numbered(number, lambda line=line: reader.line(line))
    if not reader.has_quorum:
        raise Malformed("policy", "has no quorum line")
    return Policy(reader.logs, reader.witnesses, reader.groups, reader.quorum)


def _numbered(number: int, work) -> None:
    try:
        work()
    except _Refused as refused:
        raise Malformed(f"policy line {number}", str(refused)) from None
    except Malformed as error:
        why = f"{error.what}: {error.why}"
        raise Malformed(f"policy line {number}", why) from None


class _Reader:
    def __init__(self) -> None:
        self.logs: list[Key] = []
        self.quorum: str | None = None
        self.has_quorum = False
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self._points: set[bytes] = set()
        self._members: set[str] = set()

    def line(self, data: bytes) -> None:
        if any((byte < 0x20 and byte != 0x09) or byte == 0x7F for byte in data):
            raise _Refused("holds a control character")
        try:
            line = data.decode().strip(" \t")
        except UnicodeDecodeError:
            raise _Refused("is not UTF-8") from None
        if line.startswith("#"):
            return
        match [item for item in line.replace("\t", " ").split(" ") if item]:
            case []:
                pass
            case ["log", vkey] | ["log", vkey, _]:
                self.add_log(parse_key(vkey))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                self._add_witness(name, vkey)
            case ["group", name, threshold, *members]:
                self._add_group(name, threshold, members)
            case ["quorum", name]:
                self._set_quorum(name)
            case [keyword, *_]:
                raise _Refused(f"is no line of a policy: {escape(keyword)}")

    def add_log(self, key: Key) -> None:
        self._add_point(key.point)
        _check_room(self.logs)
        self.logs.append(key)

    def _add_witness(self, name: str, vkey: str) -> None:
        witness = parse_witness(name, vkey)
        self._add_point(witness.public)
        self._check_new(name)
        _check_room(self.witnesses)
        self.witnesses.append(witness)

    def _add_group(self, name: str, threshold: str, members: list[str]) -> None:
        count = _threshold(threshold, len(members))
        if not 1 <= count <= len(members):
            raise _Refused(f"asks for {escape(threshold)} of {len(members)} members")
        for member in members:
            if not self._is_defined(member):
                raise _Refused(_undefined(member))
            if member in self._members:
                raise _Refused(f"makes {escape(member)} a member twice")
            self._members.add(member)
        self._check_new(name)
        _check_room(self.groups)
        self.groups.append(Group(name, count, members))

    def _set_quorum(self, name: str) -> None:
        if self.has_quorum:
            raise _Refused("is a second quorum")
        if name != "none" and not self._is_defined(name):
            raise _Refused(_undefined(name))
        self.quorum, self.has_quorum = None if name == "none" else name, True

    def _is_defined(self, name: str) -> bool:
        return any(name == known.name for known in (*self.witnesses, *self.groups))

    def _check_new(self, name: str) -> None:
        if name == "none" or self._is_defined(name):
            raise _Refused(f"defines {escape(name)} again")

    def _add_point(self, point: bytes) -> None:
        if point in self._points:
            raise _Refused("lists a public key again")
        self._points.add(point)


def _threshold(text: str, members: int) -> int:
    """How many of so many members; 0 for what is no number that may be one."""
    if text in ("all", "any"):
        return members if text == "all" else min(1, members)
    significant = text.lstrip("0")
    is_short = text.isascii() and text.isdigit() and len(significant) <= 9
    return int(significant or "0") if is_short else 0


def _undefined(name: str) -> str:
    return f"names {escape(name)}, which no line before it defines"


def _check_room(entries: list) -> None:
    if len(entries) >= ENTRIES_MAX:
        raise _Refused(f"is one more than {ENTRIES_MAX} of its kind")
