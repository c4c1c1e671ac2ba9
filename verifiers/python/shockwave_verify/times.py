"""Dates, times and intervals, as Postgres prints them.

Format: docs/formats/verdicts.md.
"""

MICROS_A_DAY = 86_400_000_000


def timestamp(micros: int, zone: str) -> str:
    """µs since 1970-01-01."""
    if micros == 2**63 - 1:
        return "infinity"
    if micros == -(2**63):
        return "-infinity"
    days, rest = divmod(micros, MICROS_A_DAY)
    return _with_era(days, f" {clock(rest)}{zone}")


def date(days: int) -> str:
    """Days since 1970-01-01."""
    if days == 2**31 - 1:
        return "infinity"
    if days == -(2**31):
        return "-infinity"
    return _with_era(days, "")


def clock(micros: int) -> str:
    """`04:05:06.789`"""
    seconds, fraction = divmod(micros, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours:02}:{minute:02}:{second:02}"
    return text + f".{fraction:06}".rstrip("0") if fraction else text


def interval(months: int, days: int, micros: int) -> str:
    """`1 year 2 mons -3 days +04:05:06.789`"""
    years, months = _divided(months, 12)
    parts: list[str] = []
    is_before = False
    for count, unit in ((years, "year"), (months, "mon"), (days, "day")):
        if count:
            sign = "+" if is_before and count > 0 else ""
            parts.append(f"{sign}{count} {unit}{'' if count == 1 else 's'}")
            is_before = count < 0
    if micros or not parts:
        sign = "-" if micros < 0 else "+" if is_before else ""
        parts.append(sign + clock(abs(micros)))
    return " ".join(parts)


def _divided(number: int, by: int) -> tuple[int, int]:
    """Towards zero."""
    sign = -1 if number < 0 else 1
    return sign * (abs(number) // by), sign * (abs(number) % by)


def _with_era(days: int, suffix: str) -> str:
    year, month, day = _civil(days)
    if year > 0:
        return f"{year:04}-{month:02}-{day:02}{suffix}"
    return f"{1 - year:04}-{month:02}-{day:02}{suffix} BC"


def _civil(days: int) -> tuple[int, int, int]:
    """Proleptic Gregorian; years are counted from 1 March, so that the leap day is the last; an era is 400 years."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (
        365 * year_of_era + year_of_era // 4 - year_of_era // 100
    )
    from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * from_march + 2) // 5 + 1
    month = from_march + 3 if from_march < 10 else from_march - 9
    return era * 400 + year_of_era + (month <= 2), month, day
