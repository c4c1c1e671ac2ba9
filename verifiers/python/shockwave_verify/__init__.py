"""Checks Shockwave receipts, disclosures and consistency proofs offline: `verify_receipt`, `verify_disclosure`, `verify_consistency`, `verify_export`.

Written from docs/formats alone; shares no line with the server.
"""

from shockwave_verify.policy import Policy, parse_policy, policy_of_keys
from shockwave_verify.verdict import INCONCLUSIVE, MALFORMED, TAMPERED, VALID, Verdict
from shockwave_verify.verify import (
    verify_consistency,
    verify_disclosure,
    verify_export,
    verify_receipt,
)

__all__ = [
    "INCONCLUSIVE",
    "MALFORMED",
    "TAMPERED",
    "VALID",
    "Policy",
    "Verdict",
    "parse_policy",
    "policy_of_keys",
    "verify_consistency",
    "verify_disclosure",
    "verify_export",
    "verify_receipt",
]
