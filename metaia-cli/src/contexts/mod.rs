//! Contexts: the address and the credentials of a server, under a name.
//!
//! [`ContextsFile`] is `contexts.toml` in the user's configuration folder, and a [`ServerContext`]
//! is one of its contexts. Its secrets are references ([`Secret`]), which are read when they are
//! needed, and once. A project names a context in its `metaia.toml` ([`project`]), and has none.
//!
//! [`choice`] is pure: it decides which context is in use, and which of several values wins. A
//! secret of a context goes to the address of this context alone, unless `--context` says so.

mod changes;
mod changes_lock;
mod choice;
mod contexts_file;
mod folder;
mod inherited;
mod masked;
mod name;
mod project;
mod protection;
mod secret;
mod secret_command;
mod secret_fault;
mod server_context;
mod table_reader;

pub(crate) use changes::ContextChanges;
pub(crate) use choice::{Choice, ChosenBy, Names, ValuePlace, places};
pub(crate) use contexts_file::ContextsFile;
pub(crate) use folder::shown as shown_path;
pub(crate) use inherited::{CONTEXT_VARIABLE, ChildEnvironment, Inherited, URL_VARIABLE};
pub(crate) use name::ContextName;
pub(crate) use project::ProjectFile;
pub(crate) use protection::Protection;
pub(crate) use secret::Secret;
pub(crate) use server_context::{ADDRESS_ALONE, ServerContext, is_secret_header, secret_part};
