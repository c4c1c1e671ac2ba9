"""Canonical bytes of each type, read for people.

V1: a value has one encoding; another one of the same value is refused. The one form of a jsonb is not checked.
Format: docs/formats/leaf.md, docs/formats/verdicts.md.
"""

import struct

from shockwave_verify import floats, times
from shockwave_verify.quote import quote
from shockwave_verify.reading import Reader
from shockwave_verify.verdict import Malformed

NUMERIC_SCALE_MAX = 38
NUMERIC_LONG_SCALE_MAX = 16_383
# 131,072 digits before the point and 16,383 after it, and the scale.
NUMERIC_BYTES_MAX = 61_234
NUMERIC_WORDS = ("-Infinity", "Infinity", "NaN")
# Oids of array types and of their elements.
_ELEMENTS = {
    199: 114,
    1000: 16,
    1001: 17,
    1005: 21,
    1007: 23,
    1009: 25,
    1014: 1042,
    1015: 1043,
    1016: 20,
    1021: 700,
    1022: 701,
    1115: 1114,
    1182: 1082,
    1183: 1083,
    1185: 1184,
    1187: 1186,
    1231: 1700,
    2951: 2950,
    3807: 3802,
}


def shown(oid: int, data: bytes) -> str:
    """The value in SQL's spelling; a type without a rule as `\\x…`."""
    if oid in _ELEMENTS:
        return _array(_ELEMENTS[oid], data)
    return _TYPES.get(oid, _bytea)(data)


def _refuse(why: str) -> Malformed:
    return Malformed("value", why)


def _fixed(data: bytes, width: int) -> bytes:
    if len(data) != width:
        raise _refuse(f"has {len(data)} bytes, its type {width}")
    return data


def _signed(data: bytes, width: int) -> int:
    return int.from_bytes(_fixed(data, width), "little", signed=True)


def _bool(data: bytes) -> str:
    if _fixed(data, 1)[0] > 1:
        raise _refuse("is a bool other than 0 or 1")
    return "true" if data[0] else "false"


def _float(width: int, form: str, nan: int):
    def float_of(data: bytes) -> str:
        value = struct.unpack(form, _fixed(data, width))[0]
        bits = int.from_bytes(data, "little")
        is_odd_nan = value != value and bits != nan
        if is_odd_nan or bits == 1 << (8 * width - 1):
            raise _refuse("is a float that is not canonical")
        return floats.shortest(value, form)

    return float_of


def _numeric(data: bytes) -> str:
    if len(data) == 1 and data[0] < len(NUMERIC_WORDS):
        return NUMERIC_WORDS[data[0]]
    if len(data) != 17 and not 19 <= len(data) <= NUMERIC_BYTES_MAX:
        raise _refuse("is a numeric of no known length")
    is_long = len(data) > 17
    width = len(data) - 2 if is_long else 16
    unscaled, scale = int.from_bytes(
        data[:width], "little", signed=True
    ), int.from_bytes(data[width:], "little")
    # The long form has no byte more than the sign needs, and is used only where the short one does not do.
    is_redundant = is_long and -(1 << (8 * width - 9)) <= unscaled < 1 << (
        8 * width - 9
    )
    is_short = width == 17 and is_redundant and scale <= NUMERIC_SCALE_MAX
    too_fine = scale > (NUMERIC_LONG_SCALE_MAX if is_long else NUMERIC_SCALE_MAX)
    if (
        too_fine
        or is_short
        or (width > 17 and is_redundant)
        or (scale > 0 and unscaled % 10 == 0)
    ):
        raise _refuse("is a numeric that is not canonical")
    sign, digits = "-" if unscaled < 0 else "", _digits(abs(unscaled)).zfill(scale + 1)
    whole, fraction = digits[: len(digits) - scale], digits[len(digits) - scale :]
    return f"{sign}{whole}.{fraction}" if scale else f"{sign}{whole}"


def _digits(size: int) -> str:
    """Decimal digits, in pieces below the length that Python converts."""
    groups = []
    while size >= 10**4000:
        size, rest = divmod(size, 10**4000)
        groups.append(str(rest).zfill(4000))
    return str(size) + "".join(reversed(groups))


def _text(data: bytes) -> str:
    try:
        return quote(data.decode())
    except UnicodeDecodeError:
        raise _refuse("is text that is not UTF-8") from None


def _character(data: bytes) -> str:
    if data.endswith(b" "):
        raise _refuse("is a character value with blanks at its end")
    return _text(data)


def _bytea(data: bytes) -> str:
    return f"\\x{data.hex()}"


def _uuid(data: bytes) -> str:
    digits = _fixed(data, 16).hex()
    return "-".join(
        (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    )


def _time(data: bytes) -> str:
    micros = _signed(data, 8)
    if not 0 <= micros <= times.MICROS_A_DAY:
        raise _refuse("is a time that no day has")
    return times.clock(micros)


def _interval(data: bytes) -> str:
    return times.interval(*struct.unpack("<iiq", _fixed(data, 16)))


def _array(element: int, data: bytes) -> str:
    read = Reader(data, "value")
    items = []
    for _ in range(read.uint(4)):
        tag = read.uint(1)
        if tag > 1:
            raise _refuse("has an array element that is neither NULL nor a value")
        items.append("NULL" if tag else shown(element, read.long_bytes()))
    read.end()
    return f"{{{', '.join(items)}}}"


_TYPES = {
    16: _bool,
    17: _bytea,
    20: lambda data: str(_signed(data, 8)),
    21: lambda data: str(_signed(data, 2)),
    23: lambda data: str(_signed(data, 4)),
    25: _text,
    114: _text,
    700: _float(4, "<f", 0x7FC0_0000),
    701: _float(8, "<d", 0x7FF8_0000_0000_0000),
    1042: _character,
    1043: _text,
    1082: lambda data: times.date(_signed(data, 4)),
    1083: _time,
    1114: lambda data: times.timestamp(_signed(data, 8), ""),
    1184: lambda data: times.timestamp(_signed(data, 8), "+00"),
    1186: _interval,
    1700: _numeric,
    2950: _uuid,
    3802: _text,
}
