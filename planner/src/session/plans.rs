//! From text to a plan: parsed and bound, or found in the plan cache.
//!
//! E8: a plan taken from the cache was made under the session's present stamp; what changed since is noticed when it runs.
//! E9: a statement whose constants became parameters answers what it would answer as written; where that cannot be told, it runs as written.
//! Never: runs anything but the statement it was asked to run.

use std::cell::Cell;
use std::sync::Arc;

use arrow::array::ArrayRef;
use base::{SqlError, SqlResult, SqlState};
use engine::{Isolation, SqlType};

use super::blocks::{Open, State};
use super::prepared::Prepared;
use super::{Session, block_failed, current_of, stamp};
use crate::outcome::Outcome;
use crate::parse::{self, Parsed};
use crate::plan_cache::{self, AnyPlan, Kept, Lexed, Slot, Stamp, TEXT_BYTES_MAX, Template};
use crate::session_functions;
use crate::statements::{self, Plan, system_time};
use crate::view::View;

impl Session {
    /// Splits and parses a query string; an empty vector for one without statements. Errors: 42601, 54001.
    pub fn parse(&self, sql: &str) -> SqlResult<Vec<Parsed>> {
        parse::parse(sql)
    }

    /// Binds and types a statement. `parameter_types` may be shorter than the parameters are; `None` means infer.
    ///
    /// Errors: whatever binding can raise; 25P02 in a failed block. The caller tells the session by [`Session::fail`].
    pub async fn prepare(&mut self, parsed: Parsed, parameter_types: &[Option<SqlType>]) -> SqlResult<Prepared> {
        self.carry_out()?;
        self.plan(parsed, parameter_types)
    }

    /// [`Session::parse`] and [`Session::prepare`] of a text with one statement or none. Errors: 42601 for several, and as those.
    pub async fn prepare_text(&mut self, sql: &str, parameter_types: &[Option<SqlType>]) -> SqlResult<Option<Prepared>> {
        self.carry_out()?;
        if !matches!(self.state, State::Failed(_))
            && let Some(prepared) = self.database.plans.plan(sql, parameter_types, &self.present_stamp()).and_then(prepared)
        {
            return Ok(Some(prepared));
        }
        let mut statements = parse::parse(sql)?;
        if statements.len() > 1 {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
        }
        let Some(parsed) = statements.pop() else { return Ok(None) };
        let prepared = self.plan(parsed, parameter_types)?;
        if is_keepable(&prepared) {
            self.database.plans.keep(sql, parameter_types, &prepared.stamp, Kept::Plan(Arc::new(prepared.clone())));
        }
        Ok(Some(prepared))
    }

    /// The kept plan of a query string with one statement, and the values of its constants; `None` where it has to be parsed.
    pub fn recall(&mut self, sql: &str) -> Option<(Prepared, Vec<ArrayRef>)> {
        if sql.len() > TEXT_BYTES_MAX || matches!(self.state, State::Failed(_)) {
            return None;
        }
        // What went wrong is told when the statement is planned.
        self.carry_out().ok()?;
        let lexed = Lexed::of(sql)?;
        let (plans, stamp) = (&self.database.plans, self.present_stamp());
        let template = plans.template(&lexed.shape, &stamp)?;
        if !template.lifts() {
            return plans.plan(lexed.text, &[], &stamp).and_then(prepared).map(|prepared| (prepared, Vec::new()));
        }
        let lifted = template.lift(&lexed)?;
        let prepared = plans.plan(&lifted.text, &lifted.types, &stamp).and_then(prepared)?;
        let values = lifted.values(&prepared.parameters, self.settings.manner())?;
        Some((prepared, values))
    }

    /// Binds and runs a statement without parameters, as the simple protocol does.
    pub async fn run(&mut self, parsed: Parsed) -> SqlResult<Outcome> {
        let planned = match self.carry_out().map(|()| self.learn(&parsed)) {
            Err(error) => Err(error),
            Ok(Some(learnt)) => Ok(learnt),
            Ok(None) => self.plan(parsed, &[]).map(|prepared| (prepared, Vec::new())),
        };
        match planned {
            Ok((prepared, values)) if prepared.parameters.len() == values.len() => {
                // Who sleeps must hear of his run's end.
                let replan = prepared.replan && session_functions::are_of_a_run(&prepared.text);
                self.execute(&Prepared { replan, ..prepared }, values).await
            }
            Ok(_) => {
                self.fail();
                Err(crate::cells::undefined_parameter(0))
            }
            Err(error) => {
                self.fail();
                Err(error)
            }
        }
    }

    /// Plans a statement that is the whole of its string for all strings of its shape, and keeps that (E9). `None`: it is planned as written.
    fn learn(&mut self, parsed: &Parsed) -> Option<(Prepared, Vec<ArrayRef>)> {
        if parsed.source.len() > TEXT_BYTES_MAX || matches!(self.state, State::Failed(_)) || !statements::is_data(&parsed.statement) {
            return None;
        }
        let lexed = Lexed::of(&parsed.source)?;
        let database = Arc::clone(&self.database);
        let present = self.present_stamp();
        let known = database.plans.template(&lexed.shape, &present);
        let slots = match &known {
            Some(template) => template.slots.clone(),
            None => plan_cache::slots(&parsed.statement, &parsed.source, &lexed),
        };
        let template = Template { slots };
        if template.lifts() {
            if let Some(lifted) = template.lift(&lexed)
                && let Some(statement) = parse::parse(&lifted.text).ok().and_then(|mut parsed| parsed.pop())
                && let Ok(prepared) = self.plan(statement, &lifted.types)
                && let Some(values) = lifted.values(&prepared.parameters, self.settings.manner())
                && is_keepable(&prepared)
            {
                let stamp = prepared.stamp.clone();
                database.plans.keep(&lifted.text, &lifted.types, &stamp, Kept::Plan(Arc::new(prepared.clone())));
                if known.is_none() {
                    database.plans.keep(&lexed.shape, &[], &stamp, Kept::Template(Arc::new(template)));
                }
                return Some((prepared, values));
            }
            if known.is_some() {
                // Only this statement's constants do not fit.
                return None;
            }
        }
        let prepared = self.plan(parsed.clone(), &[]).ok()?;
        if is_keepable(&prepared) && prepared.parameters.is_empty() {
            let template = Template { slots: vec![Slot::Pinned; lexed.constants.len()] };
            database.plans.keep(&lexed.shape, &[], &prepared.stamp, Kept::Template(Arc::new(template)));
            database.plans.keep(lexed.text, &[], &prepared.stamp, Kept::Plan(Arc::new(prepared.clone())));
        }
        Some((prepared, Vec::new()))
    }

    /// What a plan made now would be made under.
    fn present_stamp(&self) -> Stamp {
        let schema_root = match &self.state {
            State::Open(Open { transaction: Some(transaction), .. }) => transaction.catalog().schema_root(),
            // A moment that cannot be read has no plans; whoever makes one hears why.
            _ => match self.moment() {
                Ok(Some(moment)) => moment.catalog.schema_root(),
                Ok(None) => self.database.ledger.snapshot().catalog.schema_root(),
                Err(_) => [0; 32],
            },
        };
        Stamp { schema_root, ground: Arc::clone(self.settings.ground()) }
    }

    fn plan(&mut self, parsed: Parsed, parameter_types: &[Option<SqlType>]) -> SqlResult<Prepared> {
        let kind = statements::classify(&parsed.statement);
        if matches!(self.state, State::Failed(_)) && kind != statements::Class::EndsFailure {
            return Err(block_failed());
        }
        let effects = self.effects();
        let mut spare = None;
        let now_us = self.now_us();
        // What brings a session back to the present does not read the past.
        let reads = kind == statements::Class::Other && !statements::is_setting(&parsed.statement)?;
        let moment = if reads { self.moment()? } else { None };
        let transaction = match &mut self.state {
            State::Open(Open { transaction: Some(transaction), block, .. }) if !reads || transaction.is_past() == moment.is_some() => {
                if block.isolation == Isolation::ReadCommitted {
                    transaction.refresh()?;
                }
                moment.into_iter().for_each(|moment| transaction.travel(moment));
                transaction
            }
            _ => spare.insert(self.begin_at(moment, Isolation::ReadCommitted)?),
        };
        let view = View {
            database: &self.database,
            user: &self.user,
            settings: &self.settings,
            transaction_time_us: now_us,
            effects: &effects,
            used: &self.used,
            seat: &self.seat,
        };
        let scope = view.scope(transaction);
        let stamp = stamp(&scope, &self.settings);
        let is_lasting = Cell::new(true);
        let settled = system_time::settle(&parsed, &view, &scope, parameter_types, None)?;
        let (written, given) = settled.as_ref().map_or((&parsed, parameter_types), |settled| (&settled.parsed, &settled.given));
        let placed = current_of::described(written)?;
        let written = placed.as_ref().unwrap_or(written);
        let planning = statements::Planning { view, scope: &scope, transaction, parsed: written, given, is_lasting, ctes: &[] };
        let planned = statements::plan(&planning)?;
        let replan = !planning.is_lasting.get() || settled.is_some() || placed.is_some();
        let is_versioned = settled.is_some();
        Ok(Prepared {
            text: Arc::clone(&parsed.text),
            parameters: planned.parameters.into(),
            columns: match &planned.plan {
                Plan::Named(named) => self.columns_of_named(named)?,
                Plan::Cursor(cursor) => self.columns_of_cursor(cursor)?,
                _ => planned.columns,
            },
            plan: Arc::new(planned.plan),
            replan,
            is_versioned,
            parsed,
            stamp,
        })
    }
}

/// Whether a plan serves later statements of other sessions too.
fn is_keepable(prepared: &Prepared) -> bool {
    !prepared.replan && matches!(*prepared.plan, Plan::Select(_) | Plan::Lock(_) | Plan::Insert(_) | Plan::Update(_) | Plan::Delete(_))
}

/// A kept plan as it was when it was kept.
fn prepared(kept: AnyPlan) -> Option<Prepared> {
    kept.downcast::<Prepared>().ok().map(|prepared| Prepared::clone(&prepared))
}
