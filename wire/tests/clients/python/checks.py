"""Runs the checks of a client one after the other and says how each went.

Output: a line «NAME VERSION», then `ok CHECK` or `failed CHECK: why` for each, and at the end `ok` alone if none failed.
Every check has a connection of its own, so that one that fails spoils no other. The server is the one of the PG* environment.
"""

import asyncio
import inspect
import sys
import traceback

_checks = []


def check(name):
    """Registers a function as the check NAME."""

    def register(function):
        _checks.append((name, function))
        return function

    return register


def add(name, function, *arguments):
    """Registers FUNCTION(connection, *arguments) as the check NAME."""
    if inspect.iscoroutinefunction(function):

        async def bound(connection):
            await function(connection, *arguments)
    else:

        def bound(connection):
            function(connection, *arguments)

    _checks.append((name, bound))


def equal(seen, expected):
    """Fails unless both are the same value of the same type."""
    if seen != expected or type(seen) is not type(expected):
        raise AssertionError(f"{seen!r} is not {expected!r}")


def same(seen, expected):
    """Fails unless both are equal; a driver may have a subclass of its own."""
    if seen != expected:
        raise AssertionError(f"{seen!r} is not {expected!r}")


def raises(kind, function, *arguments, **named):
    """The error that FUNCTION must end with."""
    try:
        function(*arguments, **named)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def _said(error):
    where = traceback.extract_tb(error.__traceback__)
    own = [frame.lineno for frame in where if frame.filename == sys.argv[0]]
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{text} (line {own[-1]})" if own else text


def run(title, connect):
    """All checks of a client that waits: CONNECT gives a context manager of a connection."""
    print(title, flush=True)
    failed = 0
    for name, function in _checks:
        try:
            with connect() as connection:
                function(connection)
            print(f"ok {name}", flush=True)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises is the finding
            failed += 1
            print(f"failed {name}: {_said(error)}", flush=True)
    _end(failed)


def run_async(title, connect):
    """All checks of an asyncio client: CONNECT is a coroutine that gives a connection with `close`."""

    async def all_checks():
        print(title, flush=True)
        failed = 0
        for name, function in _checks:
            try:
                connection = await connect()
                try:
                    await asyncio.wait_for(function(connection), 60)
                finally:
                    await connection.close(timeout=10)
                print(f"ok {name}", flush=True)
            except Exception as error:  # noqa: BLE001
                failed += 1
                print(f"failed {name}: {_said(error)}", flush=True)
        return failed

    _end(asyncio.run(all_checks()))


def _end(failed):
    if failed:
        sys.exit(1)
    print("ok", flush=True)
