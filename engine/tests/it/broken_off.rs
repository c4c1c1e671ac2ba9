//! What becomes of a simulated server whose work was broken off at a step.

use std::path::Path;
use std::sync::Arc;

use base::{Fault, Io, SimIo, SqlResult};
use engine::Server;
use engine::fsck::{Request, check};
use receipts::Policy;

/// Ends a server after a fault was planned: by a power loss where it was met, in order where it was not or was an error. Errors: of the latter.
pub fn stop(server: Server, io: &SimIo, fault: Fault, is_over: bool) -> SqlResult<()> {
    if fault == Fault::Crash && !is_over {
        let _ = server.close_unsealed();
        io.restart();
        return Ok(());
    }
    io.forget_faults();
    server.close_unsealed()
}

/// The text of what fsck says of the first database of a data folder, which is valid.
pub fn valid(io: &SimIo, data: &str, policy: &Policy, place: &str) -> String {
    let disk: Arc<dyn Io> = Arc::new(io.clone());
    let request = Request { folder: &Path::new(data).join("ledgers/shockwave"), policy, pinned: None, threads: 1 };
    let verdict = check(&disk, &request).0;
    assert_eq!(verdict.exit_code(), 0, "{place}: {verdict}");
    verdict.to_string()
}
