//! The tests that `SECURITY.md` names exist, and each threat has one.

use std::path::PathBuf;

use metaia_tests::server::paths::package_path;

fn page() -> String {
    std::fs::read_to_string(package_path("../SECURITY.md")).unwrap()
}

/// Returns the rows of the table of threats.
fn threats(page: &str) -> Vec<&str> {
    let (_, section) = page.split_once("\n## Threats\n").unwrap();
    let rows = section.lines().skip_while(|line| !line.starts_with("|---"));
    let rows = rows.skip(1).take_while(|line| line.starts_with('|'));
    rows.collect()
}

/// Returns the names of tests in a text: what is in backticks and has a path.
fn tests_in(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter(|name| name.contains("::") && !name.ends_with("::"))
        .collect()
}

/// Returns the sources in which a test of this path may be.
fn sources(module: &str) -> [PathBuf; 2] {
    let path = module.replace("::", "/");
    [format!("{path}.rs"), format!("{path}/mod.rs")]
        .map(|file| package_path("tests/e2e").join(file))
}

fn exists(test: &str) -> bool {
    let (module, name) = test.rsplit_once("::").unwrap();
    let texts = sources(module).into_iter().map(std::fs::read_to_string);
    texts
        .flatten()
        .any(|text| text.contains(&format!("fn {name}()")))
}

#[test]
fn every_test_that_the_page_names_exists() {
    let page = page();
    let named = tests_in(&page);
    assert!(named.len() > 20, "{named:?}");
    let missing: Vec<_> = named.into_iter().filter(|test| !exists(test)).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_threat_has_a_test() {
    let page = page();
    let threats = threats(&page);
    assert!(threats.len() > 10, "{threats:#?}");
    for threat in threats {
        assert!(!tests_in(threat).is_empty(), "{threat}");
    }
}
