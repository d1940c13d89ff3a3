//! Joins, rechecks, disconnects, and the ends of sessions.

mod disconnect;
mod endings;
mod joins;
mod unreadable;
