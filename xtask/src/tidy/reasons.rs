//! Every lint exception says why.

use super::Findings;
use super::code::{code_only, line_of, word_starts};
use super::tree::Tree;

/// `allow` and `expect` attributes carry a `reason` that is not empty.
pub fn exceptions_say_why(tree: &Tree, findings: &mut Findings) {
    for (path, source) in tree.rust() {
        let code = code_only(source);
        for word in ["allow(", "expect("] {
            for at in word_starts(&code, word).filter(|&at| is_attribute(&code, at)) {
                let end = closing(&code, at + word.len());
                if !has_reason(&source[at..end], &code[at..end]) {
                    findings.add("reason", path, line_of(&code, at), format!("`{}` without `reason = \"…\"`", source[at..end].trim()));
                }
            }
        }
    }
}

/// True if the word stands in `#[…]` or `#![…]`, alone or inside `cfg_attr(…, …)`.
fn is_attribute(code: &str, at: usize) -> bool {
    let before = code[..at].trim_end();
    if before.ends_with("#[") || before.ends_with("#![") {
        return true;
    }
    let open = before.rfind("#[").max(before.rfind("#!["));
    open.is_some_and(|open| before[open..].contains("cfg_attr(") && !before[open..].contains(']') && before.ends_with(','))
}

/// The byte after the parenthesis that closes the list opened before `from`.
fn closing(code: &str, from: usize) -> usize {
    let mut depth = 1usize;
    for (at, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

fn has_reason(source: &str, code: &str) -> bool {
    let Some(at) = code.find("reason") else { return false };
    let Some(open) = code[at..].find('"') else { return false };
    let text = &source[at + open + 1..];
    text.split('"').next().is_some_and(|reason| !reason.trim().is_empty())
}
