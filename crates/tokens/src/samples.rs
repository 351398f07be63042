//! Texts to calibrate and check the estimates with, written for this purpose.
