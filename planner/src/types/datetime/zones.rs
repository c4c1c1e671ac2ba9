//! Time zones as date/time input names them: displacements and the abbreviations of Postgres's `Default` set that have one meaning.
//!
//! Never: reads a time zone database.

/// Seconds east of Greenwich of an abbreviation in lower case.
pub(super) fn abbreviation(word: &str) -> Option<i32> {
    let quarters = match word {
        "utc" | "gmt" | "z" | "zulu" | "ut" | "uct" | "wet" => 0,
        "bst" | "cet" | "west" | "met" => 4,
        "cest" | "eet" | "mest" | "sast" | "ist" => 8,
        "eest" | "msk" | "eat" | "idt" => 12,
        "pkt" | "uzt" => 20,
        "npt" => 23,
        "ict" => 28,
        "hkt" | "sgt" | "awst" | "pht" => 32,
        "jst" | "kst" => 36,
        "acst" => 38,
        "aest" => 40,
        "acdt" => 42,
        "aedt" => 44,
        "nzst" => 48,
        "nzdt" => 52,
        "ndt" => -10,
        "adt" | "brt" | "art" => -12,
        "nst" => -14,
        "ast" | "edt" => -16,
        "est" | "cdt" => -20,
        "cst" | "mdt" => -24,
        "mst" | "pdt" => -28,
        "pst" | "akdt" => -32,
        "akst" => -36,
        "hst" => -40,
        _ => return None,
    };
    Some(quarters * 900)
}

/// Seconds east of Greenwich of `±H[H][[:]MM[[:]SS]]`.
pub(super) fn displacement(text: &str) -> Result<i32, Wrong> {
    let (sign, digits) = match text.as_bytes() {
        [b'+', ..] => (1, &text[1..]),
        [b'-', ..] => (-1, &text[1..]),
        _ => return Err(Wrong::Format),
    };
    let mut parts = digits.split(':');
    let (first, minutes, seconds) = (parts.next().unwrap_or(""), parts.next(), parts.next());
    let number = |text: &str| text.parse::<i32>().map_err(|_| Wrong::Format);
    let (hour, minute, second) = match (first.len(), minutes) {
        // HHMM and HHMMSS run together.
        (3 | 4, None) => (number(&first[..first.len() - 2])?, number(&first[first.len() - 2..])?, 0),
        (5 | 6, None) => {
            let (hours, rest) = first.split_at(first.len() - 4);
            (number(hours)?, number(&rest[..2])?, number(&rest[2..])?)
        }
        (1 | 2, minutes) => (number(first)?, minutes.map_or(Ok(0), number)?, seconds.map_or(Ok(0), number)?),
        _ => return Err(Wrong::Format),
    };
    if parts.next().is_some() {
        return Err(Wrong::Format);
    }
    if hour > 15 || !(0..60).contains(&minute) || !(0..60).contains(&second) {
        return Err(Wrong::Range);
    }
    Ok(sign * (hour * 3600 + minute * 60 + second))
}

/// What is wrong with a displacement.
pub(super) enum Wrong {
    /// Not digits where digits belong.
    Format,
    /// More than 15:59:59.
    Range,
}
