//! The one signal that ends a server: stop accepting, let running statements finish, close.
//!
//! Never: ends anything itself; the listener and the connections watch it.

use tokio::sync::watch;

/// Asks a [`crate::Listener`] to end; clones are the same signal.
#[derive(Clone)]
pub struct Shutdown(watch::Sender<bool>);

impl Shutdown {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Starts the shutdown; a second call changes nothing.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn watch(&self) -> Watch {
        Watch(self.0.subscribe())
    }
}

/// One task's view of the signal.
pub(crate) struct Watch(watch::Receiver<bool>);

impl Watch {
    /// Waits for the request; if nobody can make it any more, that counts as one.
    pub async fn requested(&mut self) {
        drop(self.0.wait_for(|requested| *requested).await);
    }
}
