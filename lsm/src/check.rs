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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::Edit;
    use crate::options::Options;
    use crate::readers::Keep;
    use crate::run::{Run, RunWriter};
    use crate::store::Reached;
    use crate::version::{Kind, Version};
    use base::{Io, SimIo};
    use std::path::Path;
    use std::sync::Arc;

    fn run(io: &dyn Io, number: u64, seq: u64) -> Arc<Run> {
        let mut writer = RunWriter::create(io, Path::new("/t"), number, 4096, 10).unwrap();
        writer.push(&Version { key: b"key", seq, kind: Kind::Put, value: b"value" }).unwrap();
        Arc::new(Run::open(io, Path::new("/t"), writer.finish(&[]).unwrap()).unwrap())
    }

    #[test]
    fn an_older_version_above_a_newer_one_is_named() {
        let io: Arc<dyn Io> = Arc::new(SimIo::new(1));
        let store = Store::open(Arc::clone(&io), "/t".into(), Options::default()).unwrap();
        store.set_applied(10);
        store.seal();
        let sealed = store.view().sealed[0].clone();
        let runs = [run(io.as_ref(), store.draw_run_number(), 3), run(io.as_ref(), store.draw_run_number(), 9)];
        let edit = Edit { removed: vec![], added: vec![(1, Arc::clone(&runs[0])), (2, Arc::clone(&runs[1]))] };
        store.install(&edit, Reached::Flushed(&sealed), &Keep::default()).unwrap();
        let error = store.check().unwrap_err();
        assert!(matches!(error, LsmError::Broken { invariant: "L3", .. }), "{error}");
        assert_eq!(error.to_string(), "L3 does not hold in tree file \"/t/manifest\": commit 3 of a key lies above its commit 9");
    }
}
