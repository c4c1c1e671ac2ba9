//! How a session reads and writes values: its time zone, the order of days and months, and the styles of dates, intervals and bytes.
//!
//! Never: changes while a statement runs.

use super::zone::Zone;

/// A session's `TimeZone`, `DateStyle`, `IntervalStyle` and `bytea_output`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Manner {
    /// What a `timestamptz` is shown in, and read in without a zone of its own.
    pub zone: Zone,
    /// Which number of a date is which.
    pub order: DateOrder,
    /// How dates and timestamps are written.
    pub dates: DateStyle,
    /// How intervals are written.
    pub intervals: IntervalStyle,
    /// How bytes are written.
    pub bytes: BytesStyle,
}

/// The order in which a date's numbers are read, and by most styles written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum DateOrder {
    /// Month, day, year.
    #[default]
    Mdy,
    /// Day, month, year.
    Dmy,
    /// Year, month, day.
    Ymd,
}

/// Postgres's styles of dates.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum DateStyle {
    /// `2020-01-31 12:00:00+00`
    #[default]
    Iso,
    /// `Fri Jan 31 12:00:00 2020 UTC`
    Postgres,
    /// `01/31/2020 12:00:00 UTC`
    Sql,
    /// `31.01.2020 12:00:00 UTC`
    German,
}

/// Postgres's styles of intervals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum IntervalStyle {
    /// `1 year 2 mons 3 days 04:05:06`
    #[default]
    Postgres,
    /// `@ 1 year 2 mons 3 days 4 hours 5 mins 6 secs`
    Verbose,
    /// `+1-2 +3 +4:05:06`
    Sql,
    /// `P1Y2M3DT4H5M6S`
    Iso,
}

/// Postgres's styles of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum BytesStyle {
    /// `\x6100`
    #[default]
    Hex,
    /// `a\000`
    Escape,
}

impl Manner {
    /// The manner that parameters of these values make; what none of them says is the default.
    pub fn of(zone: &str, date_style: &str, interval_style: &str, bytea_output: &str) -> Self {
        let (dates, order) = DateStyle::read(date_style, (DateStyle::default(), DateOrder::default())).unwrap_or_default();
        let intervals = match interval_style {
            "postgres_verbose" => IntervalStyle::Verbose,
            "sql_standard" => IntervalStyle::Sql,
            "iso_8601" => IntervalStyle::Iso,
            _ => IntervalStyle::Postgres,
        };
        let bytes = if bytea_output == "escape" { BytesStyle::Escape } else { BytesStyle::Hex };
        let zone = Zone::of_session(zone).map(|(zone, _)| zone).unwrap_or_default();
        Self { zone, order, dates, intervals, bytes }
    }
}

impl DateStyle {
    /// The style and the order that a value of `DateStyle` sets over those there are. Errors: the word that is none, or that contradicts.
    pub fn read(text: &str, now: (Self, DateOrder)) -> Result<(Self, DateOrder), String> {
        let (mut style, mut order) = (None, None);
        let set_order = |order: &mut Option<DateOrder>, to: DateOrder, word: &str| match order.replace(to) {
            Some(before) if before != to => Err(format!("Conflicting \"datestyle\" specifications: \"{word}\".")),
            _ => Ok(()),
        };
        for word in text.split(',').map(|word| word.trim().trim_matches(['"', '\''])).filter(|word| !word.is_empty()) {
            let lower = word.to_ascii_lowercase();
            let found = match lower.as_str() {
                "iso" => Self::Iso,
                "sql" => Self::Sql,
                "german" => Self::German,
                lower if lower.starts_with("postgres") => Self::Postgres,
                "ymd" => {
                    set_order(&mut order, DateOrder::Ymd, word)?;
                    continue;
                }
                "dmy" => {
                    set_order(&mut order, DateOrder::Dmy, word)?;
                    continue;
                }
                lower if lower.starts_with("euro") => {
                    set_order(&mut order, DateOrder::Dmy, word)?;
                    continue;
                }
                "mdy" | "us" => {
                    set_order(&mut order, DateOrder::Mdy, word)?;
                    continue;
                }
                lower if lower.starts_with("noneuro") => {
                    set_order(&mut order, DateOrder::Mdy, word)?;
                    continue;
                }
                "default" => {
                    style.get_or_insert(Self::default());
                    order.get_or_insert(DateOrder::default());
                    continue;
                }
                _ => return Err(format!("Unrecognized key word: \"{word}\".")),
            };
            if style.replace(found).is_some_and(|before| before != found) {
                return Err("Conflicting \"datestyle\" specifications.".to_owned());
            }
        }
        // The German style brings its order along.
        let order = order.or_else(|| (style == Some(Self::German)).then_some(DateOrder::Dmy));
        Ok((style.unwrap_or(now.0), order.unwrap_or(now.1)))
    }

    /// How the two are shown.
    pub fn shown(self, order: DateOrder) -> String {
        let style = match self {
            Self::Iso => "ISO",
            Self::Postgres => "Postgres",
            Self::Sql => "SQL",
            Self::German => "German",
        };
        let order = match order {
            DateOrder::Mdy => "MDY",
            DateOrder::Dmy => "DMY",
            DateOrder::Ymd => "YMD",
        };
        format!("{style}, {order}")
    }
}
