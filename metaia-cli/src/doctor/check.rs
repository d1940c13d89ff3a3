//! The checks, in the order in which they are reported.

/// One check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DoctorCheck {
    Name,
    Port,
    Server,
    Polling,
    WebSocket,
    Origin,
    Clock,
    Token,
    SignIn,
    Rooms,
    Delivery,
    Event,
    Idle,
}

impl DoctorCheck {
    pub(crate) const ALL: [Self; 13] = [
        Self::Name,
        Self::Port,
        Self::Server,
        Self::Polling,
        Self::WebSocket,
        Self::Origin,
        Self::Clock,
        Self::Token,
        Self::SignIn,
        Self::Rooms,
        Self::Delivery,
        Self::Event,
        Self::Idle,
    ];

    /// Returns the name by which `metaia explain` knows it.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Name => "doctor.name",
            Self::Port => "doctor.port",
            Self::Server => "doctor.server",
            Self::Polling => "doctor.polling",
            Self::WebSocket => "doctor.websocket",
            Self::Origin => "doctor.origin",
            Self::Clock => "doctor.clock",
            Self::Token => "doctor.token",
            Self::SignIn => "doctor.sign_in",
            Self::Rooms => "doctor.rooms",
            Self::Delivery => "doctor.delivery",
            Self::Event => "doctor.event",
            Self::Idle => "doctor.idle",
        }
    }

    /// Returns its name in the report.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::SignIn => "sign in",
            other => other.id().trim_start_matches("doctor."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{CodePlace, codes};

    #[test]
    fn each_check_is_explained_and_nothing_else_is() {
        let explained = codes().filter(|code| code.place == CodePlace::Doctor);
        let explained: Vec<&str> = explained.map(|code| code.name).collect();
        assert_eq!(explained, DoctorCheck::ALL.map(DoctorCheck::id));
    }

    #[test]
    fn each_check_is_documented() {
        let page = include_str!("../../../docs/tool.md");
        for check in DoctorCheck::ALL {
            assert!(page.contains(&format!("| `{}` |", check.id())), "{check:?}");
        }
    }
}
