//! Leaving a model before it is shut down: what of source code, of recorded traffic and of a gateway's targets hangs on it.
//!
//! [`scan`] reads a repository, [`lint`] checks recorded traffic against another model, [`refresh`] keeps the catalogue true,
//! [`plan`] is what people review and accept before a model is left, [`lifecycle`] says where a model stands in its end.
//! *Does not know*: HTTP, tasks, SQL, the time of day (a day is given), the terminal.

pub mod advise;
pub mod inventory;
pub mod lifecycle;
pub mod lint;
pub mod plan;
pub mod refresh;
pub mod scan;
mod shelf;
