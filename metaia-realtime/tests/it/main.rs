//! The library over TCP: servers in this process, with clients that behave well or badly.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot continue fails"
)]

mod access;
mod api;
mod cluster;
mod delivery;
mod limits;
mod logs;
mod protocol;
mod resume;
mod support;
