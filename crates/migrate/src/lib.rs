//! Leaving a model before it is shut down: what of source code, of recorded traffic and of a gateway's targets hangs on it.
//!
//! [`scan`] reads a repository; [`plan`] is the file that people review and accept; [`lifecycle`] says
//! where a target stands in its life. *Does not know*: HTTP, tasks, SQL, the time of day (a day is given), the terminal.

pub mod lifecycle;
pub mod plan;
pub mod scan;
