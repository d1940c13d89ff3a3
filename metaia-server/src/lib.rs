//! The reference backend of METAIA realtime.

pub mod model;
