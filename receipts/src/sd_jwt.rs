//! Disclosures as SD-JWT (RFC 9901): a JWT by the ledger's key over a disclosure that hides every field, and beside it what opens the fields shown.
//!
//! J1: there is one spelling, of header, payload and each opening; whoever holds one may leave openings out or put them in another order, and it stays valid.
//! J2: the signed part has neither a value nor a salt: of each field that can be shown a commitment and a digest, each over the field's own salt.
//! J3: what is signed has no newline and begins with `eyJ`: it can be no note, and no COSE structure.
//!
//! Never: has an opening of a field that was hidden or erased when it was signed.
//! Format: docs/formats/sd-jwt.md.

mod json;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::FormatError;
use crate::checkpoint::Keys;
use crate::definition::TableDefinition;
use crate::disclosure::{DISCLOSURE_BYTES_MAX, Disclosure, Row};
use crate::hash::Hash;
use crate::note::hex;
use crate::receipt::Field;

use json::{Reader, push_string};

pub use json::Value;

const HEADER: [&str; 2] = [r#"{"alg":"EdDSA","kid":""#, r#"","typ":"shockwave-disclosure+sd-jwt"}"#];
/// Names that SD-JWT keeps to itself.
const RESERVED: [&str; 2] = ["_sd", "..."];

/// Whether bytes are meant as an SD-JWT: they begin as the base64url of a JSON object does.
pub fn is_sd_jwt(bytes: &[u8]) -> bool {
    bytes.starts_with(b"eyJ")
}

/// What opens one field: a «disclosure» of RFC 9901.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// SHA-256 of its base64url, which the payload lists.
    pub digest: Hash,
    /// Salt of the field.
    pub salt: [u8; 16],
    /// Name of its column.
    pub column: String,
    /// Its value as JSON.
    pub value: Value,
}

/// An SD-JWT, taken apart and not yet believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SdJwt {
    /// What the signature is over: header and payload with a point between.
    pub signed: String,
    /// Id of the key that signed it, as it says.
    pub key_id: [u8; 4],
    /// The ledger that issued it, as it says: the origin of its checkpoints.
    pub issuer: String,
    /// Of each row of the disclosure the digests of what may open its fields.
    pub digests: Vec<Vec<Hash>>,
    /// Rows whose fields are all hidden or erased.
    pub disclosure: Disclosure,
    /// Ed25519 over [`SdJwt::signed`].
    pub signature: [u8; 64],
    /// The openings, as they stand.
    pub openings: Vec<Opening>,
}

impl SdJwt {
    /// Signs a disclosure; the fields that it shows become openings. Fails above 16 MiB, and for a shown column whose name SD-JWT keeps to itself.
    ///
    /// The caller sees to it that its checkpoint is one that the ledger has signed.
    pub fn sign(keys: &Keys, mut disclosure: Disclosure) -> Result<String, FormatError> {
        let (mut rows, mut parts) = (String::new(), Vec::new());
        for table in disclosure.commits.iter_mut().flat_map(|commit| &mut commit.tables) {
            let definition = TableDefinition::parse(&table.definition)?;
            for row in &mut table.rows {
                let opened = open_row(row, &definition)?;
                rows.push_str(if rows.is_empty() { "" } else { "," });
                push_row(&opened, &mut rows);
                parts.extend(opened);
            }
        }
        let mut payload = r#"{"iss":"#.to_owned();
        push_string(keys.origin(), &mut payload);
        payload.push_str(r#","_sd_alg":"sha-256","shockwave":"#);
        push_string(&disclosure.to_text()?, &mut payload);
        payload.push_str(&format!(r#","rows":[{rows}]}}"#));
        let key_id = hex(keys.sha.verifier().key_id());
        let header = [HEADER[0], &key_id, HEADER[1]].concat();
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(keys.sha.sign_bytes(signed.as_bytes()));
        let mut text = format!("{signed}.{signature}~");
        for part in &parts {
            text.push_str(part);
            text.push('~');
        }
        if text.len() > DISCLOSURE_BYTES_MAX { Err(FormatError::new("SD-JWT", "would be longer than 16 MiB")) } else { Ok(text) }
    }

    /// Reads one; fails on anything that [`SdJwt::sign`] would not write, but for openings that were left out or reordered.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let error = |why: &str| FormatError::new("SD-JWT", why);
        if bytes.len() > DISCLOSURE_BYTES_MAX {
            return Err(error("is longer than 16 MiB"));
        }
        let is_ours = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
        let text = str::from_utf8(bytes).ok().filter(|text| text.as_bytes().iter().all(is_ours));
        let text = text.ok_or_else(|| error("has a character that is none of base64url, point and tilde"))?;
        let text = text.strip_suffix('~').ok_or_else(|| error("does not end with a tilde; a key binding is not supported"))?;
        let (jwt, openings) = text.split_once('~').map_or((text, None), |(jwt, rest)| (jwt, Some(rest)));
        let parts: Vec<&str> = jwt.split('.').collect();
        let [header, payload, signature] = parts[..] else {
            return Err(error("does not begin with header, payload and signature"));
        };
        let key_id = parse_header(header)?;
        let Payload { issuer, disclosure, digests } = parse_payload(payload)?;
        let signature = unbase64("SD-JWT signature", signature)?;
        let signature = signature.as_slice().try_into().map_err(|_| {
            let why = format!("has {} bytes, not 64", signature.len());
            FormatError::new("SD-JWT signature", why)
        })?;
        let openings = parse_openings(openings)?;
        let disclosure = Disclosure::parse(disclosure.as_bytes())?;
        let all = |shown: fn(&Field) -> bool| rows_of(&disclosure).flat_map(|row| &row.fields).any(shown);
        if all(|field| matches!(field, Field::Shown { .. })) {
            return Err(FormatError::new("SD-JWT payload", "shows a field itself"));
        }
        let rows = rows_of(&disclosure).count();
        if rows != digests.len() {
            return Err(FormatError::new("SD-JWT payload", format!("shows {rows} rows and lists digests of {}", digests.len())));
        }
        let signed = [header, ".", payload].concat();
        Ok(Self { signed, key_id, issuer, digests, disclosure, signature, openings })
    }
}

/// All rows of a disclosure, in its order.
fn rows_of(disclosure: &Disclosure) -> impl Iterator<Item = &Row> {
    disclosure.commits.iter().flat_map(|commit| &commit.tables).flat_map(|table| &table.rows)
}

/// Hides the fields that a row shows (J2); what opens them, by rising digest.
fn open_row(row: &mut Row, definition: &TableDefinition) -> Result<Vec<String>, FormatError> {
    let mut parts = Vec::new();
    for (field, column) in row.fields.iter_mut().zip(&definition.columns) {
        let Field::Shown { salt, value } = &*field else { continue };
        if RESERVED.contains(&column.name.as_str()) {
            return Err(FormatError::new("SD-JWT", format!("cannot show a column named {}", column.name)));
        }
        let mut text = format!("[\"{}\",", URL_SAFE_NO_PAD.encode(salt));
        push_string(&column.name, &mut text);
        text.push(',');
        Value::of(column.oid, value.as_deref())?.push(&mut text);
        text.push(']');
        parts.push(URL_SAFE_NO_PAD.encode(text));
        *field = Field::Hidden(field.commitment(column.id, column.oid));
    }
    parts.sort_by_cached_key(|part| digest_text(part));
    Ok(parts)
}

/// A row in the payload: `{}`, or its digests in order, which says nothing of that of the columns.
fn push_row(parts: &[String], out: &mut String) {
    out.push('{');
    for (at, part) in parts.iter().enumerate() {
        out.push_str(if at == 0 { r#""_sd":["# } else { "," });
        out.push_str(&format!("\"{}\"", digest_text(part)));
    }
    out.push_str(if parts.is_empty() { "}" } else { "]}" });
}

fn digest_of(part: &str) -> Hash {
    Sha256::digest(part).into()
}

fn digest_text(part: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest_of(part))
}

fn unbase64(what: &str, text: &str) -> Result<Vec<u8>, FormatError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| FormatError::new(what, "is not canonical base64url"))
}

/// Base64url of exactly so many bytes.
fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

fn parse_header(base64: &str) -> Result<[u8; 4], FormatError> {
    let bytes = unbase64("SD-JWT header", base64)?;
    let parse = || {
        let hex = str::from_utf8(&bytes).ok()?.strip_prefix(HEADER[0])?.strip_suffix(HEADER[1])?;
        let is_hex = hex.len() == 8 && hex.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex { u32::from_str_radix(hex, 16).ok().map(u32::to_be_bytes) } else { None }
    };
    parse().ok_or_else(|| FormatError::new("SD-JWT header", "is not that of EdDSA, a key id and a disclosure"))
}

struct Payload {
    issuer: String,
    disclosure: String,
    digests: Vec<Vec<Hash>>,
}

fn parse_payload(base64: &str) -> Result<Payload, FormatError> {
    let error = |why: &str| FormatError::new("SD-JWT payload", why);
    let bytes = unbase64("SD-JWT payload", base64)?;
    let parsed = str::from_utf8(&bytes).ok().and_then(read_payload);
    let (issuer, disclosure, texts) = parsed.ok_or_else(|| error("is not of iss, _sd_alg, shockwave and rows in their one spelling"))?;
    if texts.iter().any(|of_row| !of_row.is_sorted_by(|a, b| a < b)) {
        return Err(error("has a row whose digests do not rise"));
    }
    let mut all: Vec<&String> = texts.iter().flatten().collect();
    all.sort_unstable();
    if all.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(error("has one digest in two rows"));
    }
    let digests = texts.iter().map(|of_row| of_row.iter().filter_map(|text| fixed(text)).collect()).collect();
    Ok(Payload { issuer, disclosure, digests })
}

/// Issuer, disclosure, and the digests of each row, which are 32 bytes each.
fn read_payload(text: &str) -> Option<(String, String, Vec<Vec<String>>)> {
    let mut read = Reader::new(text);
    read.literal(r#"{"iss":"#)?;
    let issuer = read.string()?;
    read.literal(r#","_sd_alg":"sha-256","shockwave":"#)?;
    let disclosure = read.string()?;
    read.literal(r#","rows":["#)?;
    let mut rows = Vec::new();
    loop {
        rows.push(read_row(&mut read)?);
        if read.literal("]}").is_some() {
            return read.is_at_end().then_some((issuer, disclosure, rows));
        }
        read.literal(",")?;
    }
}

fn read_row(read: &mut Reader<'_>) -> Option<Vec<String>> {
    let mut digests = Vec::new();
    if read.literal("{}").is_some() {
        return Some(digests);
    }
    read.literal(r#"{"_sd":["#)?;
    loop {
        let text = read.string()?;
        fixed::<32>(&text)?;
        digests.push(text);
        if read.literal("]}").is_some() {
            return Some(digests);
        }
        read.literal(",")?;
    }
}

fn parse_openings(text: Option<&str>) -> Result<Vec<Opening>, FormatError> {
    let mut openings: Vec<Opening> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (at, part) in text.into_iter().flat_map(|text| text.split('~')).enumerate() {
        let what = format!("SD-JWT disclosure {}", at + 1);
        let bytes = unbase64(&what, part)?;
        let read = str::from_utf8(&bytes).ok().and_then(read_opening);
        let (salt, column, value) = read.ok_or_else(|| FormatError::new(&what, "is not of salt, name and value in their one spelling"))?;
        let digest = digest_of(part);
        if !seen.insert(digest) {
            return Err(FormatError::new(&what, "is there twice"));
        }
        openings.push(Opening { digest, salt, column, value });
    }
    Ok(openings)
}

fn read_opening(text: &str) -> Option<([u8; 16], String, Value)> {
    let mut read = Reader::new(text);
    read.literal("[")?;
    let salt = fixed(&read.string()?)?;
    read.literal(",")?;
    let column = read.string()?;
    read.literal(",")?;
    let value = Value::read(&mut read)?;
    read.literal("]")?;
    read.is_at_end().then_some((salt, column, value))
}
