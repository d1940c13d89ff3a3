//! The examples of METAIA realtime. Each is a file beside this one; its first lines say what it
//! shows and how to run it.
