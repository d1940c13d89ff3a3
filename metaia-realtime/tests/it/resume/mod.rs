//! Clients that reconnect receive the events that they missed.

mod device;
mod late_log;
mod position;
mod rt_resume;
mod too_large;
