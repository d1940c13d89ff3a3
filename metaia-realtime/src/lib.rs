//! Durable, resumable, access-controlled realtime delivery for unmodified Socket.IO clients.
