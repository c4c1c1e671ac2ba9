//! Periods on the calendar and beside one another.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn period(months: i32, days: i32, us: i64) -> Period {
    Period::new(months, days, us).unwrap()
}

fn at(year: i64, month: i64, day: i64) -> i64 {
    days_of(year, month, day) * DAY_US + 5
}

#[test]
fn days_are_counted_both_ways() {
    for day in (-1_000_000..1_000_000).step_by(997) {
        let (year, month, date) = civil(day);
        assert_eq!(days_of(year, month, date), day);
    }
    assert_eq!(civil(0), (1970, 1, 1));
    assert_eq!(civil(20_786), (2026, 11, 29));
}

/// What PostgreSQL 15 answers for `timestamp + interval`.
#[test]
fn a_period_ends_where_the_calendar_says() {
    assert_eq!(period(84, 0, 0).after(at(2026, 11, 29)), at(2033, 11, 29));
    assert_eq!(period(1, 0, 0).after(at(2027, 1, 31)), at(2027, 2, 28));
    assert_eq!(period(12, 0, 0).after(at(2028, 2, 29)), at(2029, 2, 28));
    assert_eq!(period(1, 1, 0).after(at(2027, 12, 31)), at(2028, 2, 1));
    assert_eq!(period(0, 0, 7).after(at(2026, 1, 1)), at(2026, 1, 1) + 7);
    assert_eq!(period(i32::MAX, i32::MAX, i64::MAX).after(at(2026, 1, 1)), i64::MAX);
}

/// P2, against every moment of some years.
#[test]
fn at_least_as_long_is_so_from_every_moment_on() {
    let all: Vec<Period> = [0, 1, 2, 12, 13, 24]
        .into_iter()
        .flat_map(|months| [0, 1, 28, 29, 30, 31, 365, 366, 731, 732].map(|days| Period::new(months, days, 0)))
        .flatten()
        .collect();
    let mut said = 0;
    for a in &all {
        assert!(a.is_at_least(*a));
        for b in all.iter().filter(|b| a.is_at_least(**b)) {
            said += 1;
            for day in 0..2_000 {
                let from = at(2026, 1, 1) + day * DAY_US;
                assert!(a.after(from) >= b.after(from), "{a} is not at least {b} from day {day} on");
            }
        }
    }
    assert!(said > 1_000, "{said}");
    assert!(period(84, 0, 0).is_at_least(period(0, 2_555, 0)) && !period(1, 0, 0).is_at_least(period(0, 31, 0)));
}

#[test]
fn a_retention_is_read_back_and_shown_as_postgres_shows_intervals() {
    let kept = Retention { period: period(85, 1, 3_723_500_000), mode: Mode::Compliance };
    assert_eq!(Retention::read(&kept.text()), Some(Some(kept)));
    assert_eq!(kept.period.to_string(), "7 years 1 mon 1 day 01:02:03.5");
    assert_eq!(period(12, 0, 0).to_string(), "1 year");
    assert_eq!(Retention::read(&Value::Null), Some(None));
    for text in ["[0,0,0,\"governance\"]", "[1,0,0]", "[1,0,-1,\"governance\"]", "[1,0,0,\"none\"]", "{}"] {
        assert_eq!(Retention::read(&serde_json::from_str(text).unwrap()), None, "{text}");
    }
}

#[test]
fn a_retention_is_held_by_one_as_long_and_as_firm() {
    let of = |months, mode| Retention { period: period(months, 0, 0), mode };
    let (soft, firm) = (of(12, Mode::Governance), of(12, Mode::Compliance));
    assert!(soft.is_held_by(Some(&firm)) && soft.is_held_by(Some(&of(13, Mode::Governance))));
    assert!(!firm.is_held_by(Some(&of(13, Mode::Governance))) && !firm.is_held_by(None) && !soft.is_held_by(None));
    assert!(!firm.is_held_by(Some(&of(11, Mode::Compliance))));
}
