//! The library over TCP: a server in the process, and clients that behave or do not.
