//! The cures for what is wrong with a token itself, whatever secret has signed it.

use crate::diagnosis::Diagnosis;
use crate::token::TokenReport;

/// Returns the diagnosis with the cure for what this machine finds in the token, if there is one.
pub(super) fn with_cure(report: &TokenReport, diagnosis: Diagnosis) -> Diagnosis {
    let Some(cure) = cure(report) else {
        return diagnosis;
    };
    Diagnosis {
        advice: Some(cure.to_owned()),
        ..diagnosis
    }
}

/// Returns the cure for the first problem of a token that is not one of its secret.
fn cure(report: &TokenReport) -> Option<&'static str> {
    let codes = || report.problems.iter().map(|problem| problem.code);
    let code = codes().find(|code| *code != "signature")?;
    match code {
        "malformed" => Some("paste the whole token"),
        "algorithm" | "header" => Some(
            "the program that issues the tokens must sign them by HS256, with the secret of the \
             server; `metaia token inspect` shows the header",
        ),
        // The server judges the claims of a token that it has signed itself.
        _ if codes().any(|code| code == "signature") => None,
        "expired" | "role" => None,
        "not_yet" => Some(
            "use the token later, or a new one: the clock of the machine that issued it may be \
             ahead; `metaia token inspect` shows `nbf`",
        ),
        "issued_later" => Some(
            "set the clock of the machine that issued the token, and write `iat` in seconds; \
             `metaia token inspect` shows it",
        ),
        "length" => Some("use a token with fewer claims"),
        _ => Some(
            "correct the claims in the program that issues the tokens; `metaia token inspect` \
             shows all of them",
        ),
    }
}
