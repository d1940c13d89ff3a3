//! The table of access, `docs/access.md`, has a row of each route, and of nothing else. What the
//! rows say is tested against real servers.

use std::collections::BTreeSet;

use super::others::served_routes;
use crate::http::health;

const PAGE: &str = include_str!("../../../../../docs/access.md");

/// Returns the routes of the table, as `post /api/orders`.
fn named_in_page() -> BTreeSet<String> {
    let (_, section) = PAGE.split_once("\n## Routes\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let routes = rows.filter_map(|row| row.split_once('`')?.0.split_once(' '));
    routes
        .map(|(method, path)| format!("{} {path}", method.to_lowercase()))
        .collect()
}

/// [`served_routes`] are those of `/openapi.json`: `others::exactly_the_routes_are_described`.
#[tokio::test]
async fn each_route_has_its_rows() {
    let mut expected = served_routes().await;
    expected.extend(health::PATHS.map(|path| format!("get {path}")));
    expected.insert("get /openapi.json".to_owned());
    assert_eq!(named_in_page(), expected);
}
