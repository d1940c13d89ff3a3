//! The settings of tokens of issuers.

use super::{PRODUCTION, config, load, of, problems, refused, settings};

/// The setting that replaces the one of the same name.
fn production_with(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let is_replaced = |name: &str| more.iter().any(|(other, _)| *other == name);
    let kept = PRODUCTION
        .into_iter()
        .filter(|(name, _)| !is_replaced(name));
    kept.chain(more.iter().copied()).collect()
}

const ONE: &str = "https://one.example/keys";
const TWO: &str = "https://one.example/keys, https://two.example/keys?app=hush";

#[test]
fn production_needs_a_secret_or_a_key_set() {
    let keys = [
        ("JWT_SECRET", ""),
        ("JWKS_URL", ONE),
        ("JWT_AUDIENCE", "metaia"),
    ];
    let read = config(&production_with(&keys));
    assert!(read.jwt_secret.is_none() && !read.makes_jwt_secret());
    assert_eq!(read.key_sets.sources(|_| Ok(())).unwrap().len(), 1);
    let both = config(&production_with(&[("JWKS_URL", ONE)]));
    assert!(both.jwt_secret.is_some());
    assert!(config(&[("JWKS_URL", ONE)]).makes_jwt_secret());
}

#[test]
fn each_key_set_has_its_issuer() {
    for (urls, issuers, expected) in [
        (ONE, "", true),
        (ONE, "https://one.example/", true),
        (ONE, "a,b", false),
        (TWO, "a,b", true),
        (TWO, "a, b ,", true),
        (TWO, "", false),
        (TWO, "a", false),
        (TWO, "a,a", false),
        (TWO, "a,b,c", false),
        ("", "a,b", true),
    ] {
        let given = [("JWKS_URL", urls), ("JWT_ISSUER", issuers)];
        let loaded = load(of(&given));
        let what = format!("{urls}: {issuers}");
        assert_eq!(loaded.config.is_ok(), expected, "{what}");
        if !expected {
            assert_eq!(refused(&given), ["JWT_ISSUER"], "{what}");
        }
    }
    let shown = settings(&load(of(&[("JWKS_URL", TWO), ("JWT_ISSUER", "a,b")])).settings);
    assert!(
        shown.contains("https://one.example/keys, https://two.example/keys ")
            && !shown.contains("hush"),
        "{shown}"
    );
}

#[test]
fn every_key_set_that_cannot_be_used_is_listed_without_a_password() {
    let folder = crate::testing::Folder::new();
    let bad = folder.file("bad.json");
    std::fs::write(&bad, r#"{"keys":[{"kty":"oct","k":"AQ"}]}"#).unwrap();
    let urls = format!(
        "http://one.example/keys, https://u:hush@two.example, {}, /no/such/file, ftp://x",
        bad.display()
    );
    let loaded = load(of(&[("JWKS_URL", &urls), ("PORT", "x")]));
    let text = problems(&loaded.config.unwrap_err());
    let text = text.replace(&bad.display().to_string(), "BAD");
    insta::assert_snapshot!(text.replace(": ", ":\n    "), @r#"
    metaia-server:
        2 settings are not valid, nothing was started:
      PORT:
        "x":
        must be a port, 0 to 65535
      JWKS_URL:
        must be addresses or files of key sets, for example https://login.example/.well-known/jwks.json:
        address 1:
        it must begin with https:
        who can change the answer on its way can sign any token; address 2:
        it must not have a user or a password; file "BAD":
        the document is not used:
        it has no key that can be used:
        key 1:
        it is a secret or a private key, which must not be published; file "/no/such/file":
        the file cannot be read:
        No such file or directory (os error 2); address 5:
        it must begin with https
    "#);
    assert!(!settings(&loaded.settings).contains("hush"));
}

#[test]
fn keys_for_any_audience_are_noticed() {
    let notices = load(of(&[("JWKS_URL", ONE)])).notices;
    assert!(
        notices.len() == 1 && notices[0].starts_with("JWT_AUDIENCE"),
        "{notices:?}"
    );
    let with_audience = [("JWKS_URL", ONE), ("JWT_AUDIENCE", "a, b")];
    assert_eq!(load(of(&with_audience)).notices, [""; 0]);
    assert_eq!(config(&with_audience).key_sets.audiences, ["a", "b"]);
}

/// One who can add a key can sign tokens.
#[test]
fn a_file_of_keys_that_others_can_write_is_refused_in_production() {
    use std::os::unix::fs::PermissionsExt as _;
    const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let folder = crate::testing::Folder::new();
    let path = folder.file("keys.json");
    std::fs::write(&path, KEYS).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let given = production_with(&[]);
    let mut given: Vec<_> = given.into_iter().collect();
    given.push(("JWKS_URL", &path));
    for (mode, expected) in [(0o644, true), (0o666, false)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&path, permissions).unwrap();
        assert_eq!(load(of(&given)).config.is_ok(), expected, "{mode:o}");
    }
    assert!(load(of(&[("JWKS_URL", &path)])).config.is_ok());
    assert_eq!(refused(&given), ["JWKS_URL"]);
}
