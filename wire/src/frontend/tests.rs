//! Frames of every length and content: read, refused, never a panic.
#![allow(clippy::unwrap_used, reason = "tests")]

use bytes::BytesMut;
use pgwire::messages::Message;
use pgwire::messages::extendedquery as pg;

use super::*;

/// The body of a message that pgwire, an encoder not ours, produced.
fn body(message: &impl Message) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    message.encode(&mut bytes).unwrap();
    bytes[5..].to_vec()
}

fn sample_bind() -> Vec<u8> {
    let parameters = vec![Some(bytes::Bytes::from_static(b"42")), None, Some(bytes::Bytes::new())];
    body(&pg::Bind::new(Some("p".into()), Some("s".into()), vec![1], parameters, vec![0, 1]))
}

#[test]
fn reads_what_another_encoder_wrote() {
    let bytes = sample_bind();
    let bind = bind(&bytes).unwrap();
    assert_eq!((bind.portal, bind.statement), ("p", "s"));
    assert_eq!(bind.parameters, [Some(&b"42"[..]), None, Some(&b""[..])]);
    assert_eq!((bind.parameter_formats, bind.result_formats), (vec![1], vec![0, 1]));

    let bytes = body(&pg::Parse::new(None, "SELECT $1".into(), vec![23, 0]));
    let parse = parse(&bytes).unwrap();
    assert_eq!((parse.name, parse.text, parse.type_oids), ("", "SELECT $1", vec![23, 0]));

    let bytes = body(&pg::Execute::new(Some("p".into()), 7));
    assert_eq!(execute(&bytes).unwrap(), ("p", Some(7)));
    let bytes = body(&pg::Close::new(b'S', Some("s".into())));
    assert_eq!(target(&bytes, "CLOSE").unwrap(), Target::Statement("s"));
}

#[test]
fn every_shortened_or_lengthened_body_is_a_protocol_violation() {
    let whole = sample_bind();
    for end in 0..whole.len() {
        assert_eq!(bind(&whole[..end]).unwrap_err().state(), SqlState::PROTOCOL_VIOLATION, "cut at {end}");
    }
    let longer = [&whole[..], b"x"].concat();
    assert_eq!(bind(&longer).unwrap_err().state(), SqlState::PROTOCOL_VIOLATION);
}

#[test]
fn bad_utf8_is_refused_with_its_bytes() {
    let error = query(b"SELECT '\xff'\0").unwrap_err();
    assert_eq!(error.state(), SqlState::CHARACTER_NOT_IN_REPERTOIRE);
    assert_eq!(error.message(), "invalid byte sequence for encoding \"UTF8\": 0xff");
}

#[test]
fn random_bodies_never_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        let mut bytes = sample_bind();
        for _ in 0..3 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = (state >> 8) as usize % bytes.len();
            bytes[at] = state as u8;
        }
        drop(bind(&bytes));
        drop(parse(&bytes));
        drop(execute(&bytes));
        drop(target(&bytes, "DESCRIBE"));
        drop(query(&bytes));
    }
}
