//! The examples of METAIA realtime; each is a file beside this one.
