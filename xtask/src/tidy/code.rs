//! Rust source with everything that is not code blanked out: comments, and the inside of string and character literals.
//!
//! B1: the result has the same length in bytes and the same line breaks, so places found in it are places in the source.
//! Never: parses; a macro's body is code like any other.

/// `source` with comments and the contents of literals replaced by spaces. The quotes themselves stay.
pub fn code_only(source: &str) -> String {
    let mut blanker = Blanker { bytes: source.as_bytes(), out: source.as_bytes().to_vec(), at: 0 };
    blanker.run();
    assert_eq!(blanker.out.len(), source.len(), "B1: blanking must keep the length");
    // Only whole comments and literals were blanked, byte by byte, so what is left is still UTF-8.
    String::from_utf8_lossy(&blanker.out).into_owned()
}

/// `code` (from [`code_only`]) with every item under `#[cfg(test)]` blanked too.
pub fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let start = from + found;
        let end = item_end(code.as_bytes(), start + MARK.len());
        blank(&mut out[start..end]);
        from = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The line of byte `at`, from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count()
}

/// True if the byte may stand inside an identifier.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Places where `word` stands in `text` with no identifier character before it.
pub fn word_starts<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word).map(|(at, _)| at).filter(|&at| at == 0 || !is_word(text.as_bytes()[at - 1]))
}

/// The end of the item that begins at `from`: after its `;`, or after the brace that closes its body.
fn item_end(code: &[u8], from: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
}

struct Blanker<'a> {
    bytes: &'a [u8],
    out: Vec<u8>,
    at: usize,
}

impl Blanker<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Blanks up to `end` and goes on there.
    fn blank_to(&mut self, end: usize) {
        let end = end.min(self.bytes.len());
        blank(&mut self.out[self.at..end]);
        self.at = end;
    }

    fn find(&self, from: usize, needle: &[u8]) -> usize {
        let rest = self.bytes.get(from..).unwrap_or(&[]);
        rest.windows(needle.len()).position(|w| w == needle).map_or(self.bytes.len(), |i| from + i)
    }

    fn run(&mut self) {
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'/') => self.blank_to(self.find(self.at, b"\n")),
                (b'/', b'*') => self.blank_to(self.block_comment_end()),
                (b'"', _) => self.string(),
                (b'r', b'"' | b'#') if !self.inside_word() => self.raw_string(1),
                (b'b', b'r') if !self.inside_word() && matches!(self.peek(2), b'"' | b'#') => self.raw_string(2),
                (b'\'', _) => self.character(),
                _ => self.at += 1,
            }
        }
    }

    fn inside_word(&self) -> bool {
        self.at > 0 && is_word(self.bytes[self.at - 1])
    }

    fn block_comment_end(&self) -> usize {
        let (mut depth, mut at) = (0usize, self.at);
        while at < self.bytes.len() {
            match self.bytes.get(at..at + 2) {
                Some(b"/*") => (depth, at) = (depth + 1, at + 2),
                Some(b"*/") => {
                    (depth, at) = (depth - 1, at + 2);
                    if depth == 0 {
                        return at;
                    }
                }
                _ => at += 1,
            }
        }
        at
    }

    fn string(&mut self) {
        self.at += 1;
        let mut end = self.at;
        while end < self.bytes.len() && self.bytes[end] != b'"' {
            end += if self.bytes[end] == b'\\' { 2 } else { 1 };
        }
        self.blank_to(end);
        self.at += 1;
    }

    /// `r"…"`, `r#"…"#` and so on; a raw identifier (`r#type`) is left as it is.
    fn raw_string(&mut self, prefix: usize) {
        let hashes = self.bytes[self.at + prefix..].iter().take_while(|b| **b == b'#').count();
        if self.peek(prefix + hashes) != b'"' {
            self.at += prefix + hashes;
            return;
        }
        self.at += prefix + hashes + 1;
        let closing = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
        self.blank_to(self.find(self.at, &closing));
        self.at += closing.len();
    }

    /// A character literal is blanked; a lifetime is left as it is.
    fn character(&mut self) {
        let end = match self.peek(1) {
            b'\\' => self.find(self.at + 3, b"'"),
            first if self.peek(2) == b'\'' || !first.is_ascii() => self.find(self.at + 1, b"'"),
            _ => {
                self.at += 1;
                return;
            }
        };
        self.at += 1;
        self.blank_to(end);
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_in_place() {
        let source =
            "let a = \"x // \\\" y\"; // dbg\n/* a /* b */ gone */ let c = '\\''; let b = r#\"q\"q\"#; fn f<'a>(r: &'a u8) { '\"' }";
        let code = code_only(source);
        assert_eq!(code.len(), source.len());
        for gone in ["x //", "dbg", "gone", "q\"q"] {
            assert!(!code.contains(gone), "{gone} in {code}");
        }
        for kept in ["let a = \"", "let c = '", "let b = r#\"", "fn f<'a>(r: &'a u8)"] {
            assert!(code.contains(kept), "{kept} not in {code}");
        }
        assert_eq!(code.matches('\n').count(), 1);
    }

    #[test]
    fn a_multibyte_character_literal_ends_where_it_ends() {
        let code = code_only("let x = 'é'; let y = \"→\"; call!();");
        assert!(code.contains("call!()") && !code.contains('→'), "{code}");
    }

    #[test]
    fn test_items_go_and_the_rest_stays() {
        let code = without_tests("use a;\n#[cfg(test)]\nmod tests;\nuse b;\n#[cfg(test)]\nmod t { fn f() { use c; } }\nuse d;");
        assert!(code.contains("use a") && code.contains("use b") && code.contains("use d") && !code.contains("use c"), "{code}");
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!((line_of("a\nb", 0), line_of("a\nb", 2)), (1, 2));
    }
}
