//! Tests of `pilothouse scan`.
