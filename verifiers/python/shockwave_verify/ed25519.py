"""Strict Ed25519: S below the group order, neither the key nor R of small order, no cofactor.

Format: docs/formats/checkpoint.md.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_Y8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
# The y of every point of small order, with those spelled as numbers not below p.
_SMALL_ORDER = {0, 1, _P - 1, _P, _P + 1, _Y8, _P - _Y8}


def _y(point: bytes) -> int:
    return int.from_bytes(point, "little") & (2**255 - 1)


def is_point(point: bytes) -> bool:
    """True if a point has this y: (y² − 1) / (d y² + 1) is a square."""
    y2 = pow(_y(point), 2, _P)
    x2 = (y2 - 1) * pow(_D * y2 + 1, -1, _P) % _P
    return pow(x2, (_P - 1) // 2, _P) in (0, 1)


def is_small_order(point: bytes) -> bool:
    """True for every spelling of the eight points whose order divides 8."""
    return _y(point) in _SMALL_ORDER


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """True if `signature` is the key's over `message`."""
    if len(signature) != 64:
        return False
    if int.from_bytes(signature[32:], "little") >= _ORDER:
        return False
    if is_small_order(key) or is_small_order(signature[:32]):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
