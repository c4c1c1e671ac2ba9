//! A session's manner on its way through DataFusion's configuration to the functions that read and write values by it.
//!
//! O4: what a function is planned with it runs with; plans of sessions with other manners are others.
//! Never: changes once a state is made.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::common::{Result, config_err};
use datafusion::execution::context::SessionState;

use crate::values::manner::Manner;

/// States kept beside the plain one.
const KEPT_MAX: usize = 64;

#[derive(Clone, Debug)]
struct SessionOptions {
    manner: Manner,
}

impl ConfigExtension for SessionOptions {
    const PREFIX: &'static str = "session";
}

impl ExtensionOptions for SessionOptions {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _value: &str) -> Result<()> {
        config_err!("a session's {key} is not set by text")
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}

/// The manner that a function runs in.
pub(crate) fn manner_of(config: &ConfigOptions) -> Manner {
    config.extensions.get::<SessionOptions>().map_or_else(Manner::default, |options| options.manner)
}

/// A planner's state for each manner.
pub(crate) struct States {
    plain: Arc<SessionState>,
    others: Mutex<HashMap<Manner, Arc<SessionState>>>,
}

impl States {
    pub(crate) fn new(state: SessionState) -> Self {
        Self { plain: Arc::new(with_options(state, None)), others: Mutex::default() }
    }

    /// The state of a manner.
    pub(crate) fn of(&self, manner: Manner) -> Arc<SessionState> {
        if manner == Manner::default() {
            return Arc::clone(&self.plain);
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = others.get(&manner) {
            return Arc::clone(known);
        }
        if others.len() >= KEPT_MAX {
            others.clear();
        }
        let made = Arc::new(with_options(self.plain.as_ref().clone(), Some(manner)));
        others.insert(manner, Arc::clone(&made));
        made
    }
}

/// The state with its configuration where expressions made from it find it.
fn with_options(mut state: SessionState, manner: Option<Manner>) -> SessionState {
    if let Some(manner) = manner {
        state.config_mut().options_mut().extensions.insert(SessionOptions { manner });
    }
    let config = Arc::clone(state.config_options());
    state.execution_props_mut().config_options = Some(config);
    state
}
