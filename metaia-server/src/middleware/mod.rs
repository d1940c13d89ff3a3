//! What every request passes, outermost first: request id, log line, panic catcher, CORS.

pub(crate) mod request_id;
