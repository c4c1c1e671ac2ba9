"""Names of tiles, entry bundles and files of rows.

Format: docs/formats/tiles.md, docs/formats/export.md.
"""

import re

WIDTH = 256
HASHES_BYTES_MAX = 32 * WIDTH
LEVELS = 8
_TILE = re.compile(r"(?:b3/)?tile/(entries|[0-7])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/.*)?")
_ROWS = re.compile(r"rows/((?:x[0-9]{3}/)*[0-9]{3})")


def number_path(number: int) -> str:
    """Groups of three digits, all but the last with an `x` before."""
    groups = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        groups.append(f"x{number % 1000:03}")
    return "/".join(reversed(groups))


def tile_path(kind: int | str, number: int, size: int) -> str | None:
    """The file of hashes of a level, or of `entries`, in a log of `size` leaves; None if it has none."""
    places = size if kind == "entries" else size >> (8 * kind)
    width = min(WIDTH, places - WIDTH * number)
    if width <= 0:
        return None
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{kind}/{number_path(number)}{partial}"


def rows_path(number: int) -> str:
    return f"rows/{number_path(number)}"


def is_tile(path: str, size: int) -> bool:
    """True if a log of this size has this tile. The BLAKE3 tree has no entries of its own."""
    found = _TILE.fullmatch(path)
    if not found:
        return False
    kind = found[1] if found[1] == "entries" else int(found[1])
    tree = "b3/" if path.startswith("b3/") else ""
    if kind == "entries" and tree:
        return False
    own = tile_path(kind, _number(found[2]), size)
    return own is not None and tree + own == path


def is_rows(path: str, bundles: range) -> bool:
    found = _ROWS.fullmatch(path)
    if not found:
        return False
    number = _number(found[1])
    return number in bundles and rows_path(number) == path


def _number(groups: str) -> int:
    return int(groups.replace("/", "").replace("x", ""))
