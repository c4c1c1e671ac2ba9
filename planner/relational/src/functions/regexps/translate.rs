//! Postgres's regular expressions in the library's dialect.
//!
//! F31: `\m \M \y \Y \Z`, embedded options, classes within brackets.
//! Never: says whether an expression is right.

/// An ARE in the library's dialect.
pub(super) fn translate(pattern: &str) -> String {
    let mut out = String::new();
    let pattern = pattern.strip_prefix("***:").unwrap_or(pattern);
    let mut rest = pattern;
    if let Some(end) = rest.strip_prefix("(?").and_then(|after| after.find(')'))
        && rest[2..2 + end].chars().all(|c| "bceimnpqstwx".contains(c))
    {
        let flags = &rest[2..2 + end];
        let mut on = String::new();
        let mut off = String::new();
        for flag in flags.chars() {
            match flag {
                'i' => on.push('i'),
                'c' => off.push('i'),
                'x' => on.push('x'),
                'n' | 'm' => {
                    on.push('m');
                    off.push('s');
                }
                'p' => off.push('s'),
                'w' => on.push('m'),
                _ => {}
            }
        }
        let off = if off.is_empty() { off } else { format!("-{off}") };
        if !on.is_empty() || !off.is_empty() {
            out.push_str(&format!("(?{on}{off})"));
        }
        rest = &rest[end + 3..];
    }
    let mut in_class = false;
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('m') if !in_class => out.push_str(r"\b(?=\w)"),
                Some('M') if !in_class => out.push_str(r"\b(?<=\w)"),
                Some('y') if !in_class => out.push_str(r"\b"),
                Some('Y') if !in_class => out.push_str(r"\B"),
                Some('Z') if !in_class => out.push_str(r"\z"),
                Some('B') => out.push_str(r"\\"),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' if in_class && !matches!(chars.peek(), Some(':' | '.' | '=')) => out.push_str(r"\["),
            '[' => {
                // `[:alpha:]` within a class is the library's too.
                if in_class {
                    out.push('[');
                    for inner in chars.by_ref() {
                        out.push(inner);
                        if inner == ']' {
                            break;
                        }
                    }
                } else {
                    in_class = true;
                    out.push('[');
                    if chars.next_if_eq(&'^').is_some() {
                        out.push('^');
                    }
                    if chars.next_if_eq(&']').is_some() {
                        out.push_str(r"\]");
                    }
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => out.extend(['\\', c]),
            other => out.push(other),
        }
    }
    out
}
