//! Ground floor: ids, the error every user sees, and the only doors to disk, time and randomness.
//!
//! Never: knows a table, a log record, SQL or a network. Capped on purpose; there is no `util` here.

pub mod clock;
pub mod hex;
pub mod ids;
pub mod io;
pub mod rng;
pub mod sim;
pub mod sql_error;

pub use clock::{Clock, RealClock, SimClock};
pub use ids::{ColumnId, CommitSeq, LedgerId, RelationId, RowId};
pub use io::{File, Io, LockGuard, Mapped, RealIo};
pub use rng::{OsRng, Rng, SeededRng};
pub use sim::{Fault, SimIo};
pub use sql_error::{SqlError, SqlResult, SqlState};
