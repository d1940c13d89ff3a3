//! End-to-end tests: the built programs as processes, official and hand-written clients over TCP.
//! `cargo xtask test` builds the programs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod access;
mod backup;
mod bad_input;
mod browsers;
mod cli;
mod cluster;
mod connect;
mod contexts;
mod crash;
mod data_folder;
mod deployment;
mod descriptors;
mod device;
mod diagnosis;
mod docs;
mod doctor;
mod dotenv;
mod drain;
mod empty_answers;
mod endless_files;
mod event_lines;
mod examples;
mod gate;
mod guide;
mod half_open;
mod jwt;
mod key_sets;
mod leaks;
mod limits;
mod listening;
mod log_output;
mod lost_access;
mod matrix;
mod memory;
mod middleboxes;
mod notifications;
mod operations;
mod orders;
mod origins;
mod payments;
mod planted_faults;
mod positions;
mod provider;
mod proxy;
mod realtime_emit;
mod refusals;
mod repeated_headers;
mod rest;
mod restart;
mod resume;
mod revocation;
mod rooms;
mod run;
mod scenarios;
mod secrets;
mod shells;
mod slow;
mod start;
mod storage;
mod store_file;
mod token_inspect;
mod traffic;
mod transports;
mod typing;
mod upgrade;
mod verdicts;
mod wrong_keys;
