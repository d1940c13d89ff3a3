//! Clients that reconnect receive the events that they missed.

mod device;
mod late_log;
mod position;
mod refresh;
mod rt_resume;
mod too_large;
