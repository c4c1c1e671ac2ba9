//! Whom to ask, and what quorum to wait for: a policy file (C2SP tlog-policy) with the witnesses' addresses.
//!
//! Never: asks a witness whose cosignatures could not be verified.

use std::path::Path;
use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::WitnessState;
use receipts::note::SIGNATURES_MAX;
use receipts::policy::{Quorum, Witness};
use receipts::{Policy, WitnessKey};
use tokio_rustls::rustls::ClientConfig;

use crate::http_client::{Address, read, trust};

/// A policy whose witnesses can be asked.
pub struct Witnesses {
    policy: Policy,
    asked: Vec<Asked>,
    tls: Option<Arc<ClientConfig>>,
}

/// One witness, and where.
#[derive(Clone)]
pub(crate) struct Asked {
    pub name: String,
    pub key: WitnessKey,
    pub address: Address,
}

impl Witnesses {
    /// Reads a policy file. `authorities` is a file of certificates (PEM) that https witnesses are trusted by, else those of the system.
    ///
    /// Errors: 58030 where a file cannot be read; 22023 for a policy that is none, asks for no quorum, or for one that its addresses cannot give;
    /// F0000 for certificates that are none.
    pub fn open(file: &Path, authorities: Option<&Path>) -> SqlResult<Self> {
        let policy = Policy::parse(&read(file)?).map_err(|error| invalid(format!("\"{}\" is no policy: {error}", file.display())))?;
        Self::new(policy, authorities)
    }

    /// Of a policy.
    pub fn new(policy: Policy, authorities: Option<&Path>) -> SqlResult<Self> {
        let asked: Vec<Asked> = policy.witnesses().iter().filter_map(|witness| asked(witness).transpose()).collect::<SqlResult<_>>()?;
        if *policy.quorum() == Quorum::None {
            return Err(invalid("the policy of witnesses asks for none: quorum none".to_owned())
                .hint("Name a witness or a group in its quorum line: that is what is waited for."));
        }
        if !policy.is_met(|witness| asked.iter().any(|asked| asked.name == witness.name)) {
            return Err(invalid("the quorum of witnesses cannot be met: too few of them have an address".to_owned())
                .hint("A line is: witness <name> <verifier key> <http or https address>. Only keys of type 0x04 can be verified."));
        }
        if asked.len() >= SIGNATURES_MAX {
            return Err(invalid(format!("{} witnesses have an address: a checkpoint takes {}", asked.len(), SIGNATURES_MAX - 1)));
        }
        let tls = if asked.iter().any(|asked| asked.address.is_encrypted) { Some(trust(authorities, "--witness-ca")?) } else { None };
        Ok(Self { policy, asked, tls })
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn asked(&self) -> &[Asked] {
        &self.asked
    }

    pub(crate) fn tls(&self) -> Option<&Arc<ClientConfig>> {
        self.tls.as_ref()
    }

    /// All of the policy, before any was asked.
    pub(crate) fn states(&self) -> Vec<WitnessState> {
        let state = |witness: &Witness| WitnessState {
            name: witness.name.clone(),
            key: witness.key.to_string(),
            url: witness.url.clone(),
            ..WitnessState::default()
        };
        self.policy.witnesses().iter().map(state).collect()
    }
}

fn invalid(message: String) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn asked(witness: &Witness) -> SqlResult<Option<Asked>> {
    let Some(url) = &witness.url else { return Ok(None) };
    if !witness.key.is_verified() {
        return Ok(None);
    }
    let address = Address::parse(url, "/add-checkpoint")
        .ok_or_else(|| invalid(format!("the address of witness {} is no http or https address: {url}", witness.name)))?;
    Ok(Some(Asked { name: witness.name.clone(), key: witness.key.clone(), address }))
}
