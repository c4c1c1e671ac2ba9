"""Every column type with values: as Python has them, and as Postgres writes them in text under TimeZone UTC."""

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

_UTC = timezone.utc

TYPES = {
    "boolean": [(True, "true"), (False, "false")],
    "smallint": [(-32768, "-32768"), (32767, "32767")],
    "integer": [(-(2**31), "-2147483648"), (2**31 - 1, "2147483647")],
    "bigint": [(-(2**63), "-9223372036854775808"), (2**63 - 1, "9223372036854775807")],
    "real": [(1.5, "1.5"), (-0.25, "-0.25"), (1e10, "1e+10"), (float("inf"), "Infinity")],
    "double precision": [(0.1, "0.1"), (-1e300, "-1e+300"), (5e-324, "5e-324"), (float("-inf"), "-Infinity")],
    "numeric": [(Decimal("0.1"), "0.1"), (Decimal("-12345678901234567890.0123456789"), "-12345678901234567890.0123456789"), (Decimal("0"), "0")],
    "numeric(10,2)": [(Decimal("12345678.90"), "12345678.90"), (Decimal("-0.01"), "-0.01"), (Decimal("0.00"), "0.00")],
    "text": [("", ""), ("plain", "plain"), ("żółw 🦀", "żółw 🦀"), ("it's \"a\\b\"\tand\nso", "it's \"a\\b\"\tand\nso")],
    "varchar(20)": [("", ""), ("exactly twenty chars", "exactly twenty chars")],
    "char(5)": [("ab   ", "ab"), ("abcde", "abcde")],
    "bytea": [(b"", "\\x"), (bytes(range(256)), "\\x" + bytes(range(256)).hex())],
    "date": [(date(2024, 2, 29), "2024-02-29"), (date(2, 1, 1), "0002-01-01"), (date(9998, 12, 31), "9998-12-31")],
    "time": [(time(0), "00:00:00"), (time(23, 59, 59, 999999), "23:59:59.999999")],
    "timestamp": [
        (datetime(2024, 2, 29, 12, 34, 56, 789012), "2024-02-29 12:34:56.789012"),
        (datetime(2, 1, 1), "0002-01-01 00:00:00"),
        (datetime(9998, 12, 31, 23, 59, 59, 999999), "9998-12-31 23:59:59.999999"),
    ],
    "timestamptz": [
        (datetime(2024, 2, 29, 12, 34, 56, 789012, tzinfo=_UTC), "2024-02-29 12:34:56.789012+00"),
        (datetime(1969, 7, 20, 20, 17, 40, tzinfo=_UTC), "1969-07-20 20:17:40+00"),
    ],
    "interval": [
        (timedelta(days=3, seconds=4, microseconds=5), "3 days 00:00:04.000005"),
        (timedelta(0), "00:00:00"),
        (timedelta(days=-2), "-2 days"),
    ],
    "uuid": [(UUID("6f9619ff-8b86-d011-b42d-00cf4fc964ff"), "6f9619ff-8b86-d011-b42d-00cf4fc964ff"), (UUID(int=0), str(UUID(int=0)))],
    "json": [({"b": [1, None, "x"], "a": {}}, '{"b": [1, null, "x"], "a": {}}'), ([], "[]")],
    "jsonb": [({"a": {}, "b": [1, None, "x"]}, '{"a": {}, "b": [1, null, "x"]}'), ("just text", '"just text"')],
    "boolean[]": [([True, None, False], "{t,NULL,f}")],
    "smallint[]": [([-1, 32767], "{-1,32767}")],
    "integer[]": [([1, None, 3], "{1,NULL,3}"), ([], "{}")],
    "bigint[]": [([2**40], "{1099511627776}")],
    "real[]": [([1.5, -2.0], "{1.5,-2}")],
    "double precision[]": [([0.1, None], "{0.1,NULL}")],
    "numeric[]": [([Decimal("1.10"), Decimal("-2")], "{1.10,-2}")],
    "text[]": [(["a", "b c", 'say "x"', None, "", "NULL", "back\\slash", "{,}"], r'{a,"b c","say \"x\"",NULL,"","NULL","back\\slash","{,}"}')],
    "varchar(9)[]": [(["x", "y"], "{x,y}")],
    "bytea[]": [([b"\x00\xff", b""], r'{"\\x00ff","\\x"}')],
    "date[]": [([date(2024, 2, 29), None], "{2024-02-29,NULL}")],
    "time[]": [([time(1, 2, 3)], "{01:02:03}")],
    "timestamp[]": [([datetime(2024, 2, 29, 12, 0)], '{"2024-02-29 12:00:00"}')],
    "timestamptz[]": [([datetime(2024, 2, 29, 12, 0, tzinfo=_UTC)], '{"2024-02-29 12:00:00+00"}')],
    "interval[]": [([timedelta(hours=1)], "{01:00:00}")],
    "uuid[]": [([UUID(int=1)], "{00000000-0000-0000-0000-000000000001}")],
    "jsonb[]": [([{"a": 1}, None], r'{"{\"a\": 1}",NULL}')],
}
