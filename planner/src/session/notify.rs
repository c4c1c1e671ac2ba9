//! LISTEN, UNLISTEN and NOTIFY in a session.
//!
//! E13: what a transaction sends leaves after its commit, each text once; what it listens to counts from its commit. A rollback forgets both.
//! Never: gives a client a notification inside a transaction block; the connection asks between them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use base::SqlResult;

use super::Session;
use super::blocks::{BlockKind, State};
use crate::database::Database;
use crate::effects::{Outbox, check_channel};
use crate::notifications::{Inbox, Notification};
use crate::outcome::{Outcome, Tag};
use crate::statements::notify::Notify;

/// A session's part in notifications.
pub(super) struct Mail {
    database: Arc<Database>,
    process: i32,
    inbox: Arc<Inbox>,
    outbox: Outbox,
    listening: BTreeSet<String>,
    /// What will be listened to after the commit, where the transaction changed it.
    wanted: Option<BTreeSet<String>>,
}

impl Mail {
    pub(super) fn new(database: &Arc<Database>) -> Self {
        let (inbox, outbox) = (Arc::default(), Outbox::default());
        Self { database: Arc::clone(database), process: 0, inbox, outbox, listening: BTreeSet::new(), wanted: None }
    }

    /// Notifications not yet sent.
    pub(super) fn waiting(&self) -> usize {
        self.outbox.waiting()
    }

    /// Forgets all but the first so many.
    pub(super) fn rewind(&mut self, waiting: usize) {
        self.outbox.rewind(waiting);
    }

    pub(super) fn letters(&self) -> Vec<Notification> {
        let letter =
            |(channel, payload): (String, String)| Notification { process: self.process, channel: channel.into(), payload: payload.into() };
        self.outbox.take().into_iter().map(letter).collect()
    }
}

impl Drop for Mail {
    fn drop(&mut self) {
        self.database.channels.set(&self.inbox, &self.listening, &BTreeSet::new());
    }
}

impl Session {
    /// Tells the session its process id, as clients know it.
    pub fn set_process(&mut self, process: i32) {
        self.mail.process = process;
    }

    /// Where functions of this session's statements put notifications.
    pub(super) fn outbox(&self) -> Outbox {
        self.mail.outbox.clone()
    }

    /// Completes when a notification waits; to be asked outside transaction blocks only.
    pub fn notified(&self) -> impl Future<Output = ()> + Send + 'static {
        let inbox = Arc::clone(&self.mail.inbox);
        async move { inbox.arrived().await }
    }

    /// Notifications that have arrived; none while a block is open.
    pub fn take_notifications(&mut self) -> VecDeque<Notification> {
        match self.state {
            State::Idle => self.mail.inbox.take(),
            _ => VecDeque::new(),
        }
    }

    /// Does what functions asked for while rows were read. Errors: 54000.
    pub async fn settle(&mut self) -> SqlResult<()> {
        self.carry_out()?;
        match self.state {
            State::Idle => self.send_mail().await,
            _ => Ok(()),
        }
    }

    /// LISTEN, UNLISTEN, NOTIFY.
    pub(super) async fn notify(&mut self, statement: &Notify) -> SqlResult<Outcome> {
        if self.implicit && matches!(self.state, State::Idle) {
            self.state = State::Open(self.new_block(BlockKind::Implicit));
        }
        let wanted = self.mail.wanted.clone().unwrap_or_else(|| self.mail.listening.clone());
        let tag = match statement {
            Notify::Listen { channel } => {
                check_channel(channel)?;
                let mut wanted = wanted;
                wanted.insert(channel.clone());
                self.mail.wanted = Some(wanted);
                "LISTEN"
            }
            Notify::Unlisten { channel } => {
                let mut wanted = wanted;
                match channel {
                    Some(channel) => drop(wanted.remove(channel)),
                    None => wanted.clear(),
                }
                self.mail.wanted = Some(wanted);
                "UNLISTEN"
            }
            Notify::Send { channel, payload } => {
                self.mail.outbox.put(channel, payload)?;
                "NOTIFY"
            }
        };
        if matches!(self.state, State::Idle) {
            self.send_mail().await?;
            self.end_mail(true);
        }
        Ok(Outcome::Command(Tag::command(tag)))
    }

    /// Sends what a transaction without writes has to send.
    pub(super) async fn send_mail(&mut self) -> SqlResult<()> {
        if self.mail.waiting() == 0 {
            return Ok(());
        }
        let _turn = self.database.channels.turn().await;
        let letters = self.mail.letters();
        self.database.channels.check_room(&letters)?;
        // Its own LISTEN counts for its own NOTIFY.
        self.listen_as_wanted();
        self.database.channels.send(letters);
        Ok(())
    }

    /// The transaction ended.
    pub(super) fn end_mail(&mut self, committed: bool) {
        self.mail.rewind(0);
        if committed {
            self.listen_as_wanted();
        }
        self.mail.wanted = None;
    }

    pub(super) fn unlisten_all(&mut self) {
        self.mail.wanted = Some(BTreeSet::new());
        self.listen_as_wanted();
    }

    pub(super) fn listen_as_wanted(&mut self) {
        if let Some(wanted) = self.mail.wanted.take() {
            self.database.channels.set(&self.mail.inbox, &self.mail.listening, &wanted);
            self.mail.listening = wanted;
        }
    }
}
