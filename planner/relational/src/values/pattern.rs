//! Patterns of LIKE.

/// The pattern with backslashes for escapes; `None` if it ends in one.
pub(crate) fn respelled(text: &str, escape: Option<char>) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 2);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            _ if Some(c) == escape => {
                let escaped = chars.next()?;
                if matches!(escaped, '%' | '_' | '\\') {
                    out.push('\\');
                }
                out.push(escaped);
            }
            '\\' => out.push_str("\\\\"),
            other => out.push(other),
        }
    }
    Some(out)
}
