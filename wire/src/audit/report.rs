//! What a visit found, for people and for programs.
//!
//! R1: the three forms say the same: the text, the JSON, and the signed statement, whose predicate is the JSON.
//! Never: leaves a section out.

use std::fmt;

use receipts::Checkpoint;
use receipts::value::format_time;
use receipts::verdict::Verdict;
use serde_json::{Value, json};

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Section {
    title: &'static str,
    verdict: Verdict,
}

/// A visit.
#[derive(Clone, Debug)]
pub struct Visit {
    begun_us: i64,
    pub seed: u64,
    sections: Vec<Section>,
    seen: Option<(Checkpoint, String)>,
}

impl Visit {
    pub fn new(begun_us: i64, seed: u64) -> Self {
        Self { begun_us, seed, sections: Vec::new(), seen: None }
    }

    pub fn add(&mut self, title: &'static str, verdict: Verdict) {
        self.sections.push(Section { title, verdict });
    }

    /// The checkpoint that the server showed, and its note.
    pub fn see(&mut self, checkpoint: &Checkpoint, note: &str) {
        self.seen = Some((checkpoint.clone(), note.to_owned()));
    }

    pub fn seen(&self) -> Option<&Checkpoint> {
        self.seen.as_ref().map(|(checkpoint, _)| checkpoint)
    }

    /// What to keep for the next visit.
    pub fn note(&self) -> Option<&str> {
        self.seen.as_ref().map(|(_, note)| note.as_str())
    }

    /// The worst verdict: tampered, then malformed, then inconclusive, then valid.
    pub fn worst(&self) -> &Verdict {
        let rank = |section: &&Section| [1, 2, 3, 0].iter().position(|code| *code == section.verdict.exit_code());
        match self.sections.iter().min_by_key(rank) {
            Some(section) => &section.verdict,
            None => &NOTHING,
        }
    }

    /// The predicate of the statement, and `report.json`.
    pub fn value(&self) -> Value {
        let sections: Vec<Value> = self
            .sections
            .iter()
            .map(|section| json!({"title": section.title, "verdict": section.verdict.name(), "text": section.verdict.to_string()}))
            .collect();
        json!({
            "version": 1,
            "at": format_time(self.begun_us),
            "auditor": format!("shockwave {}", env!("CARGO_PKG_VERSION")),
            "seed": self.seed.to_string(),
            "verdict": self.worst().name(),
            "exit_code": self.worst().exit_code(),
            "checkpoint": self.note(),
            "sections": sections,
        })
    }

    /// `report.json`
    pub fn json(&self) -> String {
        format!("{:#}\n", self.value())
    }
}

static NOTHING: std::sync::LazyLock<Verdict> = std::sync::LazyLock::new(|| super::inconclusive("audit", "nothing was looked at"));

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "AUDIT: {}, begun {}, seed {}", self.worst().name(), format_time(self.begun_us), self.seed)?;
        for (number, section) in self.sections.iter().enumerate() {
            writeln!(f, "\n{}. {}", number + 1, section.title)?;
            for line in section.verdict.to_string().lines() {
                writeln!(f, "   {line}")?;
            }
        }
        Ok(())
    }
}
