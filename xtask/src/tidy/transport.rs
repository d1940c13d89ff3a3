//! Only `metaia-realtime/src/transport/` names the transport crates, and nothing that it makes
//! public does: the transport may change, the API may not. Tests may have a plain server of those
//! crates to talk to.

use super::finding::Finding;
use super::source::Source;

const CRATES: [&str; 2] = ["socketioxide", "engineioxide"];
const HOME: &str = "metaia-realtime/src/transport/";

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let library = source.path.starts_with("metaia-realtime/src/");
    if !library || source.path.contains("/tests/") || source.path.ends_with("/tests.rs") {
        return Vec::new();
    }
    let named = source
        .code()
        .filter(|(_, line)| CRATES.iter().any(|name| line.contains(name)));
    if source.path.starts_with(HOME) {
        let public = named.filter(|(_, line)| line.starts_with("pub "));
        return public
            .map(|(line, _)| Finding::new(line, "a transport crate's type is public"))
            .collect();
    }
    named
        .map(|(line, _)| Finding::new(line, "only transport/ names the transport crates"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_type_outside_its_folder_or_in_public_is_found() {
        let lines = |path, text| check(&Source::new(path, text)).len();
        assert_eq!(
            lines(
                "metaia-realtime/src/room.rs",
                "use socketioxide::SocketIo;\n"
            ),
            1
        );
        assert_eq!(
            lines(
                "metaia-realtime/src/client/tests/server.rs",
                "use socketioxide::SocketIo;\n"
            ),
            0
        );
        assert_eq!(
            lines(
                "metaia-realtime/src/room.rs",
                "// socketioxide does it otherwise\n"
            ),
            0
        );
        assert_eq!(
            lines(
                "metaia-realtime/src/transport/io.rs",
                "use socketioxide::SocketIo;\n"
            ),
            0
        );
        assert_eq!(
            lines(
                "metaia-realtime/src/transport/io.rs",
                "pub fn io() -> socketioxide::SocketIo {\n"
            ),
            1
        );
    }
}
