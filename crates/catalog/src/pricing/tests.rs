//! Tests of `pricing`.
