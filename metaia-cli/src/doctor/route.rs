//! The way to the server: its name and its port.

use std::net::IpAddr;

use super::answers::waited;
use super::certificate::Certificate;
use super::check::DoctorCheck;
use super::facts::{Facts, Handshakes};
use super::finding::Finding;
use crate::diagnosis::{Diagnosis, Fault, ProbeResult, Via, complains_about_plain_http};

/// The number of addresses of a name that are shown.
const MAX_ADDRESSES: usize = 4;

/// A certificate that ends sooner than this is worth a warning.
const ENDS_SOON_DAYS: i64 = 14;

/// Returns the problem for which the server is not reached; `None` if none is known.
pub(super) fn closed(facts: &Facts) -> Option<Finding> {
    let findings = [name(facts), port(facts)];
    findings.into_iter().flatten().find(Finding::is_problem)
}

pub(super) fn name(facts: &Facts) -> Option<Finding> {
    let found = facts.name.as_ref()?;
    let wishes = &facts.wishes;
    let host = &wishes.host;
    let finding = match &found.value {
        Ok(addresses) => Finding::good(DoctorCheck::Name, listed(host, addresses)),
        Err(fault) => {
            let nothing = ProbeResult::Nothing;
            let diagnosis = wishes.diagnose(Via::Polling, "/socket.io/", fault, &nothing);
            Finding::problem(DoctorCheck::Name, host, diagnosis)
        }
    };
    Some(finding.took(found.took))
}

fn listed(host: &str, addresses: &[IpAddr]) -> String {
    let bare = host.trim_matches(['[', ']']);
    if bare.parse::<IpAddr>().is_ok() {
        return format!("{bare} is an address");
    }
    let shown = addresses.iter().take(MAX_ADDRESSES);
    let shown: Vec<String> = shown.map(ToString::to_string).collect();
    let shown = shown.join(", ");
    match addresses.len().saturating_sub(MAX_ADDRESSES) {
        0 => format!("{host} → {shown}"),
        more => format!("{host} → {shown} and {more} more"),
    }
}

pub(super) fn port(facts: &Facts) -> Option<Finding> {
    let found = facts.port.as_ref()?;
    let wishes = &facts.wishes;
    let port = format!("port {}", wishes.port);
    if let Err(fault) = &found.value {
        let nothing = ProbeResult::Nothing;
        let diagnosis = wishes.diagnose(Via::Polling, "/socket.io/", fault, &nothing);
        return Some(Finding::problem(DoctorCheck::Port, port, diagnosis).took(found.took));
    }
    // What it speaks is known by its first answer.
    let handshakes = facts.handshakes.as_ref()?;
    if let Some(diagnosis) = wrong_protocol(facts, handshakes) {
        let found_port = format!("{port}{}", waited(handshakes));
        let finding = Finding::problem(DoctorCheck::Port, found_port, diagnosis);
        return Some(finding.took(found.took));
    }
    Some(opened(port, handshakes.certificate.as_ref()).took(found.took))
}

/// Returns the finding of a port that speaks what it should.
fn opened(port: String, certificate: Option<&Certificate>) -> Finding {
    let Some(certificate) = certificate else {
        return Finding::good(DoctorCheck::Port, format!("{port} is open"));
    };
    let days = certificate.days_left;
    let issuer = certificate.issuer.as_deref();
    let issuer = issuer.map_or_else(String::new, |issuer| format!(" ({issuer})"));
    // Nobody verified one that has expired: --insecure.
    let (ends, cause) = match days {
        ..0 => (
            "has expired".to_owned(),
            "no client connects that verifies the certificate",
        ),
        days => (
            format!("good for {days} days"),
            "the server's certificate ends soon: then no client connects",
        ),
    };
    let found = format!("{port} is open; certificate {ends}{issuer}");
    if days >= ENDS_SOON_DAYS {
        return Finding::good(DoctorCheck::Port, found);
    }
    Finding::warning(DoctorCheck::Port, found, cause, "renew it")
}

/// Returns the diagnosis of a port that speaks something else than the address says.
fn wrong_protocol(facts: &Facts, handshakes: &Handshakes) -> Option<Diagnosis> {
    let asked = facts.wishes.asked(Via::Polling, "/livez");
    let fault = match &handshakes.livez.value {
        Ok(reply) if complains_about_plain_http(&asked, reply) => Fault::Reply(reply.clone()),
        Err(fault) if is_about_port(fault) && !handshakes.polled.opens() => fault.clone(),
        _ => return None,
    };
    let diagnosis = facts
        .wishes
        .diagnose(Via::Polling, "/livez", &fault, &handshakes.probed);
    Some(diagnosis)
}

fn is_about_port(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::NotTls
            | Fault::Tls(_)
            | Fault::Certificate(_)
            | Fault::NotHttp
            | Fault::Cut
            | Fault::NothingListens
            | Fault::NoRoute(_)
    )
}
