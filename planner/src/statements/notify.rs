//! LISTEN, UNLISTEN, NOTIFY: recognition. The session runs them.
//!
//! Never: checks a name or a payload.

use sqlparser::ast::Statement;

use crate::names::fold;

/// A statement about notifications.
#[derive(Clone, Debug)]
pub(crate) enum Notify {
    Listen {
        channel: String,
    },
    /// `None` for all.
    Unlisten {
        channel: Option<String>,
    },
    Send {
        channel: String,
        payload: String,
    },
}

/// `None` for other statements.
pub(crate) fn recognise(statement: &Statement) -> Option<Notify> {
    Some(match statement {
        Statement::LISTEN { channel } => Notify::Listen { channel: fold(channel) },
        Statement::UNLISTEN { channel } => {
            Notify::Unlisten { channel: (channel.value != "*" || channel.quote_style.is_some()).then(|| fold(channel)) }
        }
        Statement::NOTIFY { channel, payload } => Notify::Send { channel: fold(channel), payload: payload.clone().unwrap_or_default() },
        _ => return None,
    })
}
