"""The shortest decimal of a float that reads back as the same float.

Format: docs/formats/verdicts.md.
"""

import math
import struct


def shortest(value: float, form: str) -> str:
    """`value`, whose width is that of the struct format `form`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    digits, exponent = _digits(abs(value), form)
    sign = "-" if value < 0 else ""
    # The same width decides as reads: 1e16 is exact in both, 1e-4 is not.
    low = struct.unpack(form, struct.pack(form, 1e-4))[0]
    if low <= abs(value) < 1e16:
        return sign + _plain(digits, exponent)
    point = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{point}e{exponent}"


def _digits(value: float, form: str) -> tuple[str, int]:
    """Significant digits, and the power of ten of the first."""
    if form == "<d":
        mantissa, exponent = f"{value!r}", 0
        mantissa, _, power = mantissa.partition("e")
        whole, _, fraction = mantissa.partition(".")
        exponent = int(power or 0) + len(whole) - 1
        digits = whole + fraction
    else:
        digits, exponent = _single(value, form)
    stripped = digits.lstrip("0")
    exponent -= len(digits) - len(stripped)
    return stripped.rstrip("0") or "0", exponent


def _single(value: float, form: str) -> tuple[str, int]:
    """Python's repr is for doubles: try each number of digits, and the neighbour above, since the gap there may be wider."""
    for count in range(1, 10):
        mantissa, _, power = f"{value:.{count - 1}e}".partition("e")
        below = int(mantissa.replace(".", ""))
        for candidate in (below, below + 1):
            text = f"{candidate}e{int(power) - count + 1}"
            if _reads_as(text, value, form):
                return str(candidate), int(power) + len(str(candidate)) - count
    raise AssertionError("nine digits tell every float of 32 bits")


def _reads_as(text: str, value: float, form: str) -> bool:
    try:
        return struct.unpack(form, struct.pack(form, float(text)))[0] == value
    except OverflowError:
        return False


def _plain(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    fraction = digits[exponent + 1 :]
    return f"{whole}.{fraction}" if fraction else whole
