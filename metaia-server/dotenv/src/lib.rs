//! Reads `.env` files exactly as npm's `dotenv` does (versions 16 and 17), which the old backend
//! used: the same file means the same settings to both.
//!
//! - No value is substituted: a `$` is a `$`.
//! - `'…'`, `"…"` and `` `…` `` may span lines. In double quotes alone, `\n` and `\r` become line
//!   ends. No other escape is expanded.
//! - An unquoted value ends before the first `#`, and blanks around it are dropped.
//! - `export NAME=value` and `NAME: value` are read. The last of several lines for a name counts.
//! - Text that is no variable is skipped; no text is an error.
//!
//! ```
//! let variables = metaia_dotenv::parse("export JWT_SECRET=abc$def # signs tokens\nwhat is this");
//! assert_eq!(variables.len(), 1);
//! assert_eq!(variables[0].value, "abc$def");
//! ```

mod file;
mod scanner;
#[cfg(test)]
mod tests;
mod variable;

pub use file::read_text;
pub use variable::{Variable, parse};
