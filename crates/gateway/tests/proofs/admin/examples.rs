//! The examples of the chapter on the administration, run as they stand.
