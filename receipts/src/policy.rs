//! The pinned policy file (C2SP tlog-policy): which log keys to believe, and which witnesses must have cosigned.
//!
//! Q1: keys come from here and from nowhere else.
//! Q2: no public key is listed twice, whatever its names; every name is defined before it is used, and is a member once.
//! Q3: so each witness counts towards the quorum in one way only, and groups are without circles.
//!
//! Never: skips a line it does not understand.
//! Format: docs/formats/receipt.md.

use crate::FormatError;
use crate::cosignature::WitnessKey;
use crate::note::VerifierKey;
use crate::quote::escape;

/// Bytes of a policy file we read.
pub const POLICY_BYTES_MAX: usize = 256 * 1024;
/// Logs, witnesses and groups we read, of each.
pub const ENTRIES_MAX: usize = 64;

/// Which cosignatures a checkpoint needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Quorum {
    /// None: the log's own signature is enough.
    None,
    /// That of this witness or group.
    Of(String),
}

/// A witness of a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// What the policy calls it.
    pub name: String,
    /// Its key.
    pub key: WitnessKey,
    /// Where it takes checkpoints, as written: a verifier needs none.
    pub url: Option<String>,
}

/// A group of witnesses and other groups: it stands where so many of its members do.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Group {
    name: String,
    threshold: usize,
    members: Vec<String>,
}

/// A read policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    logs: Vec<VerifierKey>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Quorum,
}

impl Policy {
    /// Reads a policy file; an error names its line.
    pub fn parse(file: &[u8]) -> Result<Self, FormatError> {
        if file.len() > POLICY_BYTES_MAX {
            return Err(FormatError::new("policy", "is longer than 256 KiB"));
        }
        let mut reader = Reader::default();
        for (number, line) in file.split(|byte| *byte == b'\n').enumerate() {
            reader.line(line).map_err(|why| FormatError::new(format!("policy line {}", number + 1), why))?;
        }
        let quorum = reader.quorum.ok_or_else(|| FormatError::new("policy", "has no quorum line"))?;
        Ok(Self { logs: reader.logs, witnesses: reader.witnesses, groups: reader.groups, quorum })
    }

    /// The policy that believes exactly these log keys, without witnesses; fails if a key is listed twice.
    pub fn of_logs(logs: &[&VerifierKey]) -> Result<Self, FormatError> {
        Self::parse(Self::text_of_logs(logs).as_bytes())
    }

    /// The file for [`Policy::of_logs`].
    pub fn text_of_logs(logs: &[&VerifierKey]) -> String {
        let lines: String = logs.iter().map(|key| format!("log {key}\n")).collect();
        lines + "quorum none\n"
    }

    /// The log keys.
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The witnesses, in their order.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The quorum.
    pub fn quorum(&self) -> &Quorum {
        &self.quorum
    }

    /// Whether the quorum is met once the witnesses for which `has_cosigned` have cosigned.
    pub fn is_met(&self, has_cosigned: impl Fn(&Witness) -> bool) -> bool {
        let Quorum::Of(quorum) = &self.quorum else { return true };
        let mut standing: Vec<&str> = self.witnesses.iter().filter(|witness| has_cosigned(witness)).map(|witness| &*witness.name).collect();
        // Members were defined before their group, so one pass sees all of them.
        for group in &self.groups {
            if group.members.iter().filter(|member| standing.contains(&member.as_str())).count() >= group.threshold {
                standing.push(&group.name);
            }
        }
        standing.contains(&quorum.as_str())
    }
}

#[derive(Default)]
struct Reader {
    logs: Vec<VerifierKey>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    public_keys: Vec<Vec<u8>>,
    used: Vec<String>,
    quorum: Option<Quorum>,
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        if line.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f) {
            return Err("holds a control character".to_owned());
        }
        // Names are opaque octets in the format; we take those that are UTF-8, as it recommends.
        let line = str::from_utf8(line).map_err(|_| "is not UTF-8".to_owned())?;
        let line = line.trim_matches([' ', '\t']);
        if line.starts_with('#') {
            return Ok(());
        }
        let items: Vec<&str> = line.split([' ', '\t']).filter(|item| !item.is_empty()).collect();
        match items[..] {
            [] => Ok(()),
            ["log", vkey] | ["log", vkey, _] => self.log(vkey),
            ["witness", name, vkey] => self.witness(name, vkey, None),
            ["witness", name, vkey, url] => self.witness(name, vkey, Some(url)),
            ["group", name, threshold, ref members @ ..] => self.group(name, threshold, members),
            ["quorum", name] => self.quorum(name),
            [keyword, ..] => Err(format!("is no line of a policy: {}", escape(keyword))),
        }
    }

    fn log(&mut self, vkey: &str) -> Result<(), String> {
        let key = VerifierKey::parse(vkey).map_err(|error| error.to_string())?;
        self.add_public_key(key.public())?;
        check_room(self.logs.len())?;
        self.logs.push(key);
        Ok(())
    }

    fn witness(&mut self, name: &str, vkey: &str, url: Option<&str>) -> Result<(), String> {
        let key = WitnessKey::parse(vkey).map_err(|error| error.to_string())?;
        self.add_public_key(key.public())?;
        self.check_new(name)?;
        check_room(self.witnesses.len())?;
        self.witnesses.push(Witness { name: name.to_owned(), key, url: url.map(str::to_owned) });
        Ok(())
    }

    fn group(&mut self, name: &str, threshold: &str, members: &[&str]) -> Result<(), String> {
        let wanted = match threshold {
            "all" => Some(members.len()),
            "any" => Some(1),
            _ if threshold.bytes().all(|byte| byte.is_ascii_digit()) => threshold.parse().ok(),
            _ => None,
        };
        let Some(threshold) = wanted.filter(|wanted| (1..=members.len()).contains(wanted)) else {
            return Err(format!("asks for {} of {} members", escape(threshold), members.len()));
        };
        for member in members {
            if !self.is_defined(member) {
                return Err(format!("names {}, which no line before it defines", escape(member)));
            }
            if self.used.iter().any(|used| used == member) {
                return Err(format!("makes {} a member twice", escape(member)));
            }
            self.used.push((*member).to_owned());
        }
        self.check_new(name)?;
        check_room(self.groups.len())?;
        self.groups.push(Group { name: name.to_owned(), threshold, members: members.iter().map(|member| (*member).to_owned()).collect() });
        Ok(())
    }

    fn quorum(&mut self, name: &str) -> Result<(), String> {
        if self.quorum.is_some() {
            return Err("is a second quorum".to_owned());
        }
        if name != "none" && !self.is_defined(name) {
            return Err(format!("names {}, which no line before it defines", escape(name)));
        }
        self.quorum = Some(if name == "none" { Quorum::None } else { Quorum::Of(name.to_owned()) });
        Ok(())
    }

    fn is_defined(&self, name: &str) -> bool {
        self.witnesses.iter().any(|witness| witness.name == name) || self.groups.iter().any(|group| group.name == name)
    }

    fn check_new(&self, name: &str) -> Result<(), String> {
        if name == "none" || self.is_defined(name) { Err(format!("defines {} again", escape(name))) } else { Ok(()) }
    }

    fn add_public_key(&mut self, public: &[u8]) -> Result<(), String> {
        if self.public_keys.iter().any(|known| known == public) {
            return Err("lists a public key again".to_owned());
        }
        self.public_keys.push(public.to_vec());
        Ok(())
    }
}

fn check_room(len: usize) -> Result<(), String> {
    if len < ENTRIES_MAX { Ok(()) } else { Err(format!("is one more than {ENTRIES_MAX} of its kind")) }
}
