//! From accept to the first ReadyForQuery: encryption requests, cancel requests, the startup message.
//!
//! U1: nothing of a session exists before the user, the database and the options have been accepted.
//! U2: before that, a client can make the server hold at most 64 KiB.
//! U3: nothing that came unencrypted is taken for part of the encrypted stream.
//! Never: says which databases there are to a client that has not proved who it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::rng::{OsRng, Rng};
use base::{SqlError, SqlResult, SqlState};
use bytes::BytesMut;
use pgwire::messages::startup::{Authentication, BackendKeyData, NegotiateProtocolVersion, ParameterStatus, SecretKey, Startup};
use pgwire::messages::{DecodeContext, Message, ProtocolVersion};
use planner::{Account, Database, Databases, Session};
use tokio::net::TcpStream;

use crate::admission::Place;
use crate::authentication::{self, Refused};
use crate::cancel::Stop;
use crate::channel::{Channel, Lost};
use crate::config::{Auth, Ssl};
use crate::connection::Connection;
use crate::errors::{Severity, put_error};
use crate::listener::Shared;
use crate::portal::Names;

/// Postgres's limit on the messages before a session.
const STARTUP_BYTES_MAX: usize = 10_000;
const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST: u32 = 80_877_103;
const GSS_ENCRYPTION_REQUEST: u32 = 80_877_104;
/// What a client asked for.
struct Request {
    minor: u16,
    parameters: BTreeMap<String, String>,
}

/// Greets a client. `None` if there is nothing left to serve: a cancel request, a refusal, or a client that left.
pub(crate) async fn greet(socket: TcpStream, shared: &Arc<Shared>) -> Option<Connection> {
    let ends = [socket.peer_addr().ok(), socket.local_addr().ok()];
    let mut channel = Channel::new(socket, &shared.config);
    match admit(&mut channel, shared).await {
        Ok(None) | Err(Refused::Lost) => None,
        Ok(Some((mut session, place))) => {
            channel.admit(&shared.config);
            let stop = Stop::new(session.canceller());
            let registration = shared.registry.enter(OsRng.next_u64() as i32, stop.clone());
            session.list(registration.process, ends, Box::new(stop.clone()));
            let mut connection = Connection {
                channel,
                session,
                stop,
                shutdown: shared.shutdown.watch(),
                names: Names::default(),
                implicit: false,
                skip_to_sync: false,
                registration,
                _place: place,
            };
            welcome(&mut connection);
            connection.ready().await.ok()?;
            Some(connection)
        }
        Err(Refused::Error(error)) => {
            refuse(channel, &error).await;
            None
        }
    }
}

/// From the first byte to a session for whoever has proved to be allowed one (U1).
async fn admit(channel: &mut Channel, shared: &Arc<Shared>) -> Result<Option<(Session, Place)>, Refused> {
    let Some(request) = read_request(channel, shared).await? else { return Ok(None) };
    check_request(&request, channel, shared)?;
    let (user, name) = names(&request)?;
    let database = shared.databases.get(name);
    // A database that is not there is told of only after the proof, which the first one can judge.
    let judge = database.clone().or_else(|| shared.databases.get(engine::FIRST_DATABASE));
    let account = judge.as_ref().map(|judge| judge.account(user)).transpose()?.flatten();
    if shared.config.auth == Auth::Scram {
        authentication::scram(channel, user, account.as_ref(), &shared.pretence).await?;
    }
    let account = account.ok_or_else(|| no_role(user))?;
    let database = database.ok_or_else(|| no_database(name, &shared.databases))?;
    check_account(&account, name)?;
    let place = shared.admissions.enter(&account, name, &shared.config)?;
    let session = open(&request, &database, &account)?;
    Ok(Some((session, place)))
}

async fn refuse(mut channel: Channel, error: &SqlError) {
    put_error(&mut channel.output, Severity::Fatal, error);
    channel.close().await;
}

/// Answers encryption requests until the startup message; a cancel request is carried out here.
async fn read_request(channel: &mut Channel, shared: &Shared) -> SqlResult<Option<Request>> {
    loop {
        let message = match channel.next_untagged(STARTUP_BYTES_MAX).await {
            Ok(message) => message,
            Err(Lost::Closed) => return Ok(None),
            Err(Lost::InvalidLength { .. }) => return Err(violation("invalid length of startup packet")),
        };
        match be_u32(&message, 4) {
            SSL_REQUEST if shared.tls.is_some() && !channel.is_encrypted() => {
                if channel.has_input() {
                    return Err(violation("received unencrypted data after SSL request")
                        .detail("This could be either a client-software bug or evidence of an attempted man-in-the-middle attack."));
                }
                if let Some(tls) = &shared.tls
                    && channel.encrypt(tls).await.is_err()
                {
                    return Ok(None);
                }
            }
            SSL_REQUEST | GSS_ENCRYPTION_REQUEST => {
                if channel.refuse_encryption().await.is_err() {
                    return Ok(None);
                }
            }
            CANCEL_REQUEST => {
                if message.len() == 16 {
                    shared.registry.cancel(be_u32(&message, 8) as i32, be_u32(&message, 12) as i32);
                }
                // Over TLS an end without a farewell is an error to the client.
                channel.close().await;
                return Ok(None);
            }
            version => {
                let (major, minor) = ((version >> 16) as u16, version as u16);
                if major != 3 {
                    let text = format!("unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.0");
                    return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, text));
                }
                let context = DecodeContext::new(ProtocolVersion::PROTOCOL3_0);
                let startup = Startup::decode(&mut BytesMut::from(&message[..]), &context);
                let Ok(Some(startup)) = startup else { return Err(violation("invalid startup packet layout")) };
                return Ok(Some(Request { minor, parameters: startup.parameters }));
            }
        }
    }
}

fn violation(message: &str) -> SqlError {
    SqlError::new(SqlState::PROTOCOL_VIOLATION, message)
}

/// Big-endian number at `offset`; 0 past the end.
fn be_u32(bytes: &[u8], offset: usize) -> u32 {
    bytes.get(offset..).and_then(|rest| rest.first_chunk()).map_or(0, |chunk| u32::from_be_bytes(*chunk))
}

/// Agrees on the protocol and refuses what is not served at all.
fn check_request(request: &Request, channel: &mut Channel, shared: &Shared) -> SqlResult<()> {
    let unknown: Vec<String> = request.parameters.keys().filter(|name| name.starts_with("_pq_.")).cloned().collect();
    if request.minor > 0 || !unknown.is_empty() {
        channel.output.pgwire(&NegotiateProtocolVersion::new(0, unknown));
    }
    let replication = request.parameters.get("replication").filter(|value| !value.is_empty());
    if replication.is_some_and(|value| !matches!(value.as_str(), "false" | "off" | "no" | "0")) {
        return Err(SqlError::unsupported("the replication protocol"));
    }
    if shared.config.ssl == Ssl::Required && !channel.is_encrypted() {
        let (user, database) = names(request)?;
        let message = format!("no pg_hba.conf entry for user \"{user}\", database \"{database}\", no encryption");
        return Err(SqlError::new(SqlState::INVALID_AUTHORIZATION, message)
            .hint("This server takes encrypted connections only; connect with sslmode=require."));
    }
    Ok(())
}

/// User and database; the database is named like the user where none is asked for.
fn names(request: &Request) -> SqlResult<(&str, &str)> {
    let get = |name: &str| request.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let missing = || SqlError::new(SqlState::INVALID_AUTHORIZATION, "no PostgreSQL user name specified in startup packet");
    let user = get("user").ok_or_else(missing)?;
    Ok((user, get("database").unwrap_or(user)))
}

fn no_role(user: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_AUTHORIZATION, format!("role \"{user}\" does not exist"))
}

fn check_account(account: &Account, database: &str) -> SqlResult<()> {
    if !account.login {
        let message = format!("role \"{}\" is not permitted to log in", account.name);
        return Err(SqlError::new(SqlState::INVALID_AUTHORIZATION, message));
    }
    if !account.may_connect {
        return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied for database \"{database}\""))
            .detail("User does not have CONNECT privilege."));
    }
    Ok(())
}

/// Opens the session the client asked for and applies its settings (U1).
fn open(request: &Request, database: &Arc<Database>, account: &Account) -> SqlResult<Session> {
    let application_name = request.parameters.get("application_name").cloned().unwrap_or_default();
    let mut session = Session::new(Arc::clone(database), account.name.clone(), application_name);
    for (name, value) in settings(&request.parameters)? {
        session.set_startup_parameter(&name, &value)?;
    }
    Ok(session)
}

fn no_database(name: &str, known: &Databases) -> SqlError {
    let known = known.all();
    let names: Vec<&str> = known.iter().map(|database| database.name()).collect();
    SqlError::new(SqlState::INVALID_CATALOG_NAME, format!("database \"{name}\" does not exist"))
        .hint(format!("Databases here: {}.", names.join(", ")))
}

/// The run-time parameters among the startup parameters, `options` (`-c name=value`, `--name=value`) included.
fn settings(parameters: &BTreeMap<String, String>) -> SqlResult<Vec<(String, String)>> {
    let mut settings = Vec::new();
    for (name, value) in parameters {
        match name.as_str() {
            "user" | "database" | "replication" | "application_name" => {}
            "options" => settings.extend(command_line(value)?),
            // A client that converts nothing, such as psql under LANG=C, gets UTF-8 as it is.
            "client_encoding" if value.eq_ignore_ascii_case("SQL_ASCII") => {}
            name if name.starts_with("_pq_.") => {}
            _ => settings.push((name.clone(), value.clone())),
        }
    }
    Ok(settings)
}

/// Postgres's reading of `options`: words split at spaces, a backslash takes the next character as it is.
fn command_line(options: &str) -> SqlResult<Vec<(String, String)>> {
    let mut words = vec![String::new()];
    let mut characters = options.chars();
    while let Some(character) = characters.next() {
        match (character, words.last_mut()) {
            ('\\', Some(word)) => word.extend(characters.next()),
            (' ' | '\t' | '\n', _) => words.push(String::new()),
            (other, Some(word)) => word.push(other),
            (_, None) => {}
        }
    }
    let mut settings = Vec::new();
    let mut words = words.into_iter().filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let pair = match word.as_str() {
            "-c" => words.next(),
            word => word.strip_prefix("-c").or(word.strip_prefix("--")).map(str::to_owned),
        };
        match pair.as_deref().and_then(|pair| pair.split_once('=')) {
            Some((name, value)) => settings.push((name.replace('-', "_"), value.to_owned())),
            None => {
                let message = format!("invalid command-line argument for server process: {word}");
                return Err(SqlError::new(SqlState::SYNTAX_ERROR, message).hint("Use options of the form -c name=value."));
            }
        }
    }
    Ok(settings)
}

/// AuthenticationOk, the parameters a client wants to know, and its cancel key.
fn welcome(connection: &mut Connection) {
    let output = &mut connection.channel.output;
    output.pgwire(&Authentication::Ok);
    for (name, value) in connection.session.parameter_status() {
        output.pgwire(&ParameterStatus::new(name, value));
    }
    drop(connection.session.take_changed_parameters());
    let secret = SecretKey::I32(connection.registration.secret);
    connection.channel.output.pgwire(&BackendKeyData::new(connection.registration.process, secret));
}

#[cfg(test)]
mod tests;
