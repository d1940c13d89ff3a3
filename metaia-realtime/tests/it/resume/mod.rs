//! Clients that reconnect receive what they missed.

mod device;
mod late_log;
mod position;
mod rt_resume;
