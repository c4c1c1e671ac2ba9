//! The checker: walks a whole tree and names the first thing that does not hold.
//!
//! Never: changes anything; trusts a checksum that was looked at before.

use crate::error::LsmError;
use crate::manifest;
use crate::store::Store;
use crate::version::SEQ_END;

impl Store {
    /// M1, L1 and L2 of the levels; K1, X1, B1 and F1 of every run; T1: what is in runs is durable; L3 over all versions of all keys.
    pub(crate) fn check(&self) -> Result<(), LsmError> {
        self.check_manifest()?;
        let (durable, view) = (self.durable(), self.view());
        let manifest = self.dir.join(manifest::NAME);
        view.levels.check().map_err(|broken| LsmError::broken(if broken.starts_with("L1") { "L1" } else { "L2" }, &manifest, broken))?;
        for (_, run) in view.levels.runs() {
            run.verify()?;
            if run.seqs().1 >= self.durable().max(durable) {
                return Err(LsmError::broken("T1", run.path(), format!("it holds commit {}, durable is up to {durable}", run.seqs().1)));
            }
        }
        let mut merge = view.merge(None);
        merge.seek(&[], SEQ_END)?;
        let mut before: Option<(Vec<u8>, u64, usize)> = None;
        while let Some(version) = merge.version() {
            if let Some((key, seq, source)) = &before
                && key.as_slice() == version.key
                && *source > merge.source()
            {
                let detail = format!("commit {} of a key lies above its commit {seq}", version.seq);
                return Err(LsmError::broken("L3", &manifest, detail));
            }
            let entry = before.get_or_insert_default();
            entry.0.clear();
            entry.0.extend_from_slice(version.key);
            (entry.1, entry.2) = (version.seq, merge.source());
            merge.step()?;
        }
        Ok(())
    }
}
