"""Text from a receipt, spelled so that it cannot repaint a terminal.

Format: docs/formats/verdicts.md.
"""

# First and last code point of each run of control and formatting characters.
_ESCAPED = (
    (0x00, 0x1F),
    (0x7F, 0x9F),
    (0xAD, 0xAD),
    (0x61C, 0x61C),
    (0x180E, 0x180E),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0xFEFF, 0xFEFF),
    (0xFFF0, 0xFFFB),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_PLAIN = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./% "
)


def _is_escaped(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _ESCAPED)


def _spelled(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    return f"\\u{{{ord(char):x}}}" if _is_escaped(char) else char


def escape(text: str) -> str:
    return "".join(map(_spelled, text))


def quote(text: str) -> str:
    return f'"{escape(text)}"'


def name(text: str) -> str:
    """A name as it stands if it is plain, else in quotes."""
    plain = (c in _PLAIN if c.isascii() else not _is_escaped(c) for c in text)
    return text if text and all(plain) else quote(text)
