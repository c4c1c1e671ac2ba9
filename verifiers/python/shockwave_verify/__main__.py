"""`python -m shockwave_verify receipt | disclose | consistency | fsck`: reads files, prints the verdict, exits with its code.

M1: keys come from --key or --policy, never from what is verified.
Never: opens a socket or a server's data folder.
Format: docs/formats/verdicts.md.
"""

import argparse
import sys

from shockwave_verify.cose import is_cose
from shockwave_verify.policy import Policy, parse_policy, policy_of_keys
from shockwave_verify.sd_jwt import is_sd_jwt
from shockwave_verify.verdict import Failure, Malformed, Verdict, failed
from shockwave_verify.verify import (
    verify_consistency,
    verify_disclosure,
    verify_export,
    verify_receipt,
)

# Larger than any receipt or proof can be; past it a file is not read.
FILE_BYTES_MAX = 64 << 20
EXIT_CODES = "Exit codes: 0 valid, 1 tampered, 2 malformed or unsupported (or wrong usage), 3 inconclusive."


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        verdict = options.run(options)
    except Failure as failure:
        verdict = failed(failure, [])
    sys.stdout.buffer.write(verdict.text.encode())
    return verdict.code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="shockwave_verify", epilog=EXIT_CODES, allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    receipt = _command(
        commands,
        "receipt",
        "was exactly this row, with exactly these values, committed at this place in this ledger?",
        _receipt,
    )
    receipt.add_argument("file", help="the receipt; `-` reads standard input")
    disclosure = _command(
        commands,
        "disclose",
        "were exactly these fields, of exactly these rows, committed in this ledger?",
        _disclosure,
    )
    disclosure.add_argument("file", help="the disclosure; `-` reads standard input")
    consistency = _command(
        commands,
        "consistency",
        "is the ledger of today an extension of the one whose checkpoint I kept?",
        _consistency,
    )
    consistency.add_argument("old", help="the signed checkpoint kept from before")
    consistency.add_argument("proof", help="the proof from there to a newer one")
    export = _command(
        commands,
        "fsck",
        "is this export, every leaf and every row of it, what the ledger signed?",
        _export,
    )
    export.add_argument("folder", help="the folder of the export")
    export.add_argument(
        "--checkpoint", metavar="FILE", help="a signed checkpoint kept from before"
    )
    return parser


def _command(commands, name: str, says: str, run) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name, help=says, description=says, epilog=EXIT_CODES, allow_abbrev=False
    )
    pinned = command.add_mutually_exclusive_group(required=True)
    pinned.add_argument("--policy", metavar="FILE", help="a pinned policy file")
    pinned.add_argument(
        "--key",
        metavar="VKEY",
        action="append",
        help="a pinned key; may be given several times",
    )
    command.set_defaults(run=run)
    return command


def _receipt(options: argparse.Namespace) -> Verdict:
    policy = _policy(options)
    return verify_receipt(_read_text(options.file), policy)


def _disclosure(options: argparse.Namespace) -> Verdict:
    policy = _policy(options)
    return verify_disclosure(_read_text(options.file), policy)


def _consistency(options: argparse.Namespace) -> Verdict:
    policy = _policy(options)
    old = _read_text(options.old)
    return verify_consistency(old, _read_text(options.proof), policy)


def _export(options: argparse.Namespace) -> Verdict:
    policy = _policy(options)
    pinned = None if options.checkpoint is None else _read_text(options.checkpoint)
    return verify_export(options.folder, policy, pinned)


def _policy(options: argparse.Namespace) -> Policy:
    if options.policy is not None:
        return parse_policy(_read(options.policy))
    return policy_of_keys(options.key)


def _read_text(path: str) -> bytes:
    """These texts end in one newline, an SD-JWT in none; the one that psql puts behind a value it prints is left off. COSE is no text."""
    data = _read(path)
    is_longer = data.endswith(b"\n\n") or is_sd_jwt(data) and data.endswith(b"~\n")
    return data[:-1] if is_longer and not is_cose(data) else data


def _read(path: str) -> bytes:
    try:
        if path == "-":
            data = sys.stdin.buffer.read(FILE_BYTES_MAX + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        raise Malformed(path, f"cannot be read: {error}") from None
    if len(data) > FILE_BYTES_MAX:
        raise Malformed(path, "is too long to be a receipt, a proof or a policy")
    return data


def run() -> None:
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
