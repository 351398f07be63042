//! Tests of `vendor`.
