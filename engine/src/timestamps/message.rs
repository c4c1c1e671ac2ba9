//! Requests and responses of RFC 3161, as far as a client needs them.
//!
//! M1: a response counts only if it grants, and holds exactly one token whose content is a timestamp by SHA-256.
//! Never: checks the token's signature or certificates: who relies on the authority does.

use cms::signed_data::SignedData;
use der::asn1::{Int, OctetString};
use der::oid::ObjectIdentifier;
use der::oid::db::rfc5912::ID_SHA_256;
use der::{Any, Decode, Encode};
use x509_tsp::{MessageImprint, TimeStampReq, TimeStampResp, TspVersion, TstInfo};

/// id-ct-TSTInfo
const TIMESTAMP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// id-signedData
const SIGNED: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");

/// What a response says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// When the authority saw the digest, by its clock: µs since the Unix epoch.
    pub at_us: i64,
    /// Its serial number, hex.
    pub serial: String,
    /// The policy it stamps under, dotted.
    pub policy: String,
    /// SHA-256 of what was stamped.
    pub digest: [u8; 32],
    /// The number that was in the request.
    pub nonce: Option<Vec<u8>>,
}

/// A request for a timestamp of a SHA-256 digest, DER. `nonce` is drawn anew each time; the authority's certificate is asked to come along.
///
/// Errors: a text, for what DER cannot hold; there is no such digest or nonce.
pub fn request(digest: &[u8; 32], nonce: &[u8; 8]) -> Result<Vec<u8>, String> {
    let written = |error: der::Error| format!("the request cannot be written: {error}");
    let hash_algorithm = x509_cert::spki::AlgorithmIdentifier { oid: ID_SHA_256, parameters: Some(Any::null()) };
    let request = TimeStampReq {
        version: TspVersion::V1,
        message_imprint: MessageImprint { hash_algorithm, hashed_message: OctetString::new(digest.as_slice()).map_err(written)? },
        req_policy: None,
        nonce: Some(Int::new(&positive(nonce)).map_err(written)?),
        cert_req: true,
        extensions: None,
    };
    request.to_der().map_err(written)
}

/// A number as the shortest bytes of a positive DER integer.
pub(super) fn positive(number: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
    match digits.first() {
        None => vec![0],
        Some(first) if *first >= 0x80 => [&[0], digits.as_slice()].concat(),
        Some(_) => digits,
    }
}

impl Stamp {
    /// Reads a response (M1). Errors: a text for people, about what an authority answered.
    pub fn read(response: &[u8]) -> Result<Self, String> {
        let unreadable = |error: der::Error| format!("the authority's answer is no timestamp response: {error}");
        let response = TimeStampResp::from_der(response).map_err(unreadable)?;
        let status = response.status.status as u8;
        if status > 1 {
            return Err(format!("the authority refuses: status {status}"));
        }
        let token = response.time_stamp_token.ok_or("the authority's answer has no timestamp in it")?;
        if token.content_type != SIGNED {
            return Err("the authority's timestamp is not signed data".to_owned());
        }
        let signed = SignedData::from_der(&token.content.to_der().map_err(unreadable)?).map_err(unreadable)?;
        let content = signed.encap_content_info;
        if content.econtent_type != TIMESTAMP {
            return Err(format!("the authority signed something else than a timestamp: {}", content.econtent_type));
        }
        let info = content.econtent.ok_or("the authority's timestamp is empty")?;
        let info = TstInfo::from_der(info.value()).map_err(unreadable)?;
        if info.message_imprint.hash_algorithm.oid != ID_SHA_256 {
            return Err("the authority's timestamp is not of a SHA-256 digest".to_owned());
        }
        let digest = info.message_imprint.hashed_message.as_bytes().try_into();
        let at = info.gen_time.to_unix_duration();
        let at_us = i64::try_from(at.as_micros()).map_err(|_| "the authority's time is out of range".to_owned())?;
        Ok(Self {
            at_us,
            serial: info.serial_number.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect(),
            policy: info.policy.to_string(),
            digest: digest.map_err(|_| "the authority's timestamp is of a digest of another length".to_owned())?,
            nonce: info.nonce.map(|nonce| nonce.as_bytes().to_vec()),
        })
    }

    /// Whether it answers a request with this nonce.
    pub fn answers(&self, nonce: &[u8; 8]) -> bool {
        self.nonce.as_deref() == Some(positive(nonce).as_slice())
    }
}
