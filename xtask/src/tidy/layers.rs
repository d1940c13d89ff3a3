//! A file of the library imports only from lower layers: ids and events know nothing of sessions, sessions know
//! nothing of the transport.

use super::{Finding, walk::Source};

const LIBRARY: &str = "metaia-realtime/src/";

/// What a file is, by the beginning of its path in the library, and the modules above it.
const LAYERS: [(&[&str], &[&str]); 2] = [
    (
        &["id.rs", "role.rs", "room.rs", "position.rs", "event/", "auth/", "access.rs", "log/"],
        &["session", "dispatch", "transport", "realtime", "builder"],
    ),
    (&["session/", "dispatch/", "dispatch.rs"], &["transport", "builder"]),
];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let Some(file) = source.path.strip_prefix(LIBRARY) else { return Vec::new() };
    let layer = LAYERS.iter().find(|(files, _)| files.iter().any(|start| file.starts_with(start)));
    let Some((_, above)) = layer else { return Vec::new() };
    let imports =
        source.code().flat_map(|(line, code)| above.iter().map(move |module| (line, code, *module)));
    let wrong = imports.filter(|(_, code, module)| names(code, module));
    wrong
        .map(|(line, _, module)| Finding::new(line, format!("imports from `{module}`, a layer above")))
        .collect()
}

/// Whether the line has the module's path in it: `transport::`, not `my_transport::` nor a word in a text.
fn names(code: &str, module: &str) -> bool {
    let before = |at: usize| code[..at].chars().next_back().unwrap_or(' ');
    let path = format!("{module}::");
    code.match_indices(&path).any(|(at, _)| !(before(at).is_alphanumeric() || before(at) == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_from_above_is_found() {
        let count = |path: &str, code: &str| check(&Source::new(path, code)).len();
        assert_eq!(count("metaia-realtime/src/room.rs", "use crate::session::Session;\n"), 1);
        assert_eq!(count("metaia-realtime/src/session/mod.rs", "use crate::{transport::Port, Room};\n"), 1);
        assert_eq!(count("metaia-realtime/src/session/mod.rs", "use super::my_transport::Port;\n"), 0);
        assert_eq!(count("metaia-realtime/src/transport/mod.rs", "use crate::session::Session;\n"), 0);
        assert_eq!(count("metaia-server/src/main.rs", "use crate::transport::X;\n"), 0);
    }
}
