//! The rows of the REST requests.

use futures_util::future::try_join_all;
use reqwest::Method;
use serde_json::Value;

use super::cell::CellValue;
use super::grid::AccessRow;
use super::probes::{NO_VERSION, PROBES, RouteProbe};
use super::routes::DescribedRoutes;
use super::stage::{Company, Stage, SubjectLogin};
use super::subject::Subject;
use crate::exit::{Exit, Failure};
use crate::rest::{Api, Body, Exchange};

/// The section of the routes without a request.
const NOT_EXERCISED: &str = "Not exercised";

/// Measures every request, as everybody. Different people ask at the same time.
pub(super) async fn rows(
    stage: &Stage,
    company: &Company,
    routes: &DescribedRoutes,
    api: &Api<'_>,
) -> Result<Vec<AccessRow>, Failure> {
    let columns = company.logins.iter().map(|login| async move {
        let mut cells = Vec::new();
        for probe in PROBES {
            let is_asked = !probe.is_sent_once || login.subject == Subject::Anonymous;
            cells.push(if is_asked && routes.has(probe.method, probe.route) {
                ask(probe, login, stage, company, api).await?
            } else {
                CellValue::Absent
            });
        }
        Ok::<_, Failure>(cells)
    });
    let columns = try_join_all(columns).await?;
    let mut rows: Vec<AccessRow> = PROBES
        .iter()
        .enumerate()
        .map(|(index, probe)| {
            let cells = columns.iter().map(|cells| cells[index].clone());
            AccessRow::new(probe.section, probe.name, cells.collect())
        })
        .collect();
    for route in routes.not_exercised() {
        let cells = vec![CellValue::Absent; company.logins.len()];
        rows.push(AccessRow::new(NOT_EXERCISED, route, cells));
    }
    Ok(rows)
}

/// Measures one request, as everybody.
pub(super) async fn row(
    probe: &RouteProbe,
    section: &str,
    stage: &Stage,
    company: &Company,
    api: &Api<'_>,
) -> Result<AccessRow, Failure> {
    let cells = company
        .logins
        .iter()
        .map(|login| ask(probe, login, stage, company, api));
    let cells = try_join_all(cells).await?;
    Ok(AccessRow::new(section, probe.name, cells))
}

async fn ask(
    probe: &RouteProbe,
    login: &SubjectLogin,
    stage: &Stage,
    company: &Company,
    api: &Api<'_>,
) -> Result<CellValue, Failure> {
    let path = stage.fill(probe.path, company);
    let body = stage.fill(probe.body, company);
    let version = ("if-match".to_owned(), NO_VERSION.to_owned());
    let headers: Vec<(String, String)> = probe
        .is_for_no_version
        .then_some(version)
        .into_iter()
        .collect();
    let exchange = Exchange {
        method: method(probe)?,
        path: &path,
        authority: login.authority.as_ref(),
        headers: &headers,
        body: if body.is_empty() {
            Body::None
        } else {
            Body::Text(&body)
        },
    };
    let reply = api.exchange_patiently(exchange.clone()).await?;
    let answer: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    // A server or a proxy that is not there has answered nothing.
    if matches!(reply.status, 502..=504)
        && let Some(refusal) = api.refusal(&exchange, reply.clone()).await
    {
        return Err(refusal.within(format!("{}, as {}", probe.name, login.subject.name())));
    }
    let code = answer["code"].as_str().unwrap_or_default();
    let cell = CellValue::of_status(reply.status, code, probe.tried);
    match probe.contains {
        Some((list, placeholder)) if cell == CellValue::Allowed => {
            let id = stage.fill(&format!("{{{placeholder}}}"), company);
            Ok(found_in(&answer["data"][list], &id))
        }
        _ => Ok(cell),
    }
}

/// Returns whether a list contains the record with this id.
fn found_in(list: &Value, id: &str) -> CellValue {
    let mut records = list.as_array().into_iter().flatten();
    if records.any(|record| record["_id"] == id) {
        CellValue::Allowed
    } else {
        CellValue::Hidden
    }
}

fn method(probe: &RouteProbe) -> Result<Method, Failure> {
    probe
        .method
        .parse()
        .map_err(|_| Failure::new(Exit::Failed, "a request of the matrix has no method"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_without_the_record_hides_it() {
        let list = json!([{"_id": "o1"}, {"_id": "o2"}]);
        assert_eq!(found_in(&list, "o2"), CellValue::Allowed);
        assert_eq!(found_in(&list, "o3"), CellValue::Hidden);
        assert_eq!(found_in(&json!(null), "o3"), CellValue::Hidden);
    }

    #[test]
    fn each_probe_has_a_method() {
        for probe in PROBES {
            assert!(method(probe).is_ok(), "{}", probe.name);
        }
    }
}
