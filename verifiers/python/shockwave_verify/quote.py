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
_SPELLED = {
    code: f"\\u{{{code:x}}}"
    for first, last in _ESCAPED
    for code in range(first, last + 1)
} | {ord(char): spelled for char, spelled in _SHORT.items()}
_PLAIN = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./% "
)


def escape(text: str) -> str:
    return text.translate(_SPELLED)


def quote(text: str) -> str:
    return f'"{escape(text)}"'


def name(text: str) -> str:
    """A name as it stands if it is plain, else in quotes."""
    plain = (c in _PLAIN if c.isascii() else ord(c) not in _SPELLED for c in text)
    return text if text and all(plain) else quote(text)
