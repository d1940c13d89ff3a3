//! The text of `metaia token inspect`.

use metaia_realtime::auth::SignatureCheck;
use metaia_realtime::values::JsonNumber;

use crate::clock;
use crate::printer::{Paint, Report};
use crate::span;
use crate::token::{TokenReport, compact_json, printable};

impl Report for TokenReport {
    fn text(&self, paint: Paint) -> String {
        let mut lines = Vec::new();
        if let Some(algorithm) = self.header.get("alg") {
            lines.push(format!("alg: {}", compact_json(algorithm.get())));
        }
        for (name, value) in self.claims.iter() {
            let value = self.claim(name, value.get());
            lines.push(format!("{}: {value}", printable(name)));
        }
        let signature = match self.check {
            SignatureCheck::Good => paint.good("good"),
            SignatureCheck::Bad => paint.bad("wrong"),
            SignatureCheck::Unchecked => "not checked".to_owned(),
        };
        lines.push(format!("signature: {signature}{}", self.checked_with()));
        for problem in &self.problems {
            lines.push(format!("{} {}", paint.bad("refused:"), problem.message));
        }
        for warning in &self.warnings {
            lines.push(format!("warning: {}", warning.message));
        }
        lines.extend(self.conclusion(paint));
        lines.join("\n")
    }
}

impl TokenReport {
    fn checked_with(&self) -> String {
        match (self.check, &self.secrets_from) {
            (SignatureCheck::Good | SignatureCheck::Bad, Some(from)) => {
                format!(", checked with {from}")
            }
            _ => String::new(),
        }
    }

    fn conclusion(&self, paint: Paint) -> Option<String> {
        if self.is_accepted() {
            let warnings = if self.warnings.is_empty() {
                ""
            } else {
                "; look at the warnings"
            };
            return Some(paint.good("no problems found") + warnings);
        }
        let is_only_unchecked = self.problems.is_empty();
        is_only_unchecked.then(|| format!("no other problems found: {}", self.how_to_check()))
    }

    fn how_to_check(&self) -> String {
        match self.public_algorithm() {
            Some(algorithm) => format!(
                "signed with {algorithm}; --jwks FILE or --jwks URL names the keys of its issuer, \
                 to check the signature"
            ),
            None => "set JWT_SECRET, or run this in the server's folder, to check the signature"
                .to_owned(),
        }
    }

    /// Formats a claim. Times are followed by date and time, and how far away they are.
    fn claim(&self, name: &str, value: &str) -> String {
        let words = match name {
            "exp" => ["ended", "ends"],
            "iat" => ["issued", "issued"],
            "nbf" => ["began", "begins"],
            _ => return compact_json(value),
        };
        match JsonNumber::parse(value) {
            Some(seconds) => format!("{value} ({})", self.moment(&seconds, words)),
            None => compact_json(value),
        }
    }

    /// Formats a time in UTC, in the zone of this machine if that is another one, and relative to
    /// now, with the words for the past and for the future.
    fn moment(&self, seconds: &JsonNumber, [past, future]: [&str; 2]) -> String {
        let ms = seconds.floor_thousandfold();
        let unix_s = ms.div_euclid(1_000);
        let mut moment = clock::date_time(unix_s);
        if let Some(local) = self.zone.as_ref().and_then(|zone| zone.date_time(unix_s)) {
            moment = format!("{moment}, here {local}");
        }
        let distance = span::rough(ms.abs_diff(self.now) / 1_000);
        if ms <= self.now {
            format!("{moment}, {past} {distance} ago")
        } else {
            format!("{moment}, {future} in {distance}")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jsonwebtoken::{EncodingKey, Header, encode};
    use metaia_realtime::auth::enable_hmac;
    use serde_json::value::RawValue;

    use crate::token::{Flaw, PastedToken, Zone, inspect, mint};

    use super::*;

    #[test]
    fn an_inspection_shows_the_claims_and_the_problems() {
        let actor = "tailor:t1".parse().unwrap();
        let now = 1_700_000_000;
        let ttl = Duration::from_secs(60);
        let minted = mint(&actor, &"secret".into(), ttl, Flaw::Expired, now * 1_000).unwrap();
        let secrets = ["other".to_owned()];
        let report = inspect(&PastedToken::read(&minted.token), &secrets, now * 1_000);
        let text = report.text(Paint::PLAIN);
        let lines = text.lines().filter(|line| !line.starts_with("jti: "));
        let text: Vec<&str> = lines.collect();
        insta::assert_snapshot!(text.join("\n"), @r#"
        alg: "HS256"
        exp: 1699999820 (2023-11-14 22:10:20Z, ended 3 min ago)
        iat: 1699999760 (2023-11-14 22:09:20Z, issued 4 min ago)
        role: "tailor"
        userId: "t1"
        signature: wrong
        refused: wrong signature: signed with another secret, or modified after signing
        refused: expired 3 min ago
        "#);
    }

    #[test]
    fn a_signature_that_was_not_checked_is_no_good_news() {
        let actor = "tailor:t1".parse().unwrap();
        let ttl = Duration::from_secs(60);
        let minted = mint(&actor, &"secret".into(), ttl, Flaw::None, 1_700_000_000_000).unwrap();
        let report = inspect(&PastedToken::read(&minted.token), &[], 1_700_000_000_000);
        assert!(!report.is_accepted());
        assert!(report.text(Paint::PLAIN).contains("not checked"));
        assert!(!report.text(Paint::PLAIN).contains("no problems found"));
    }

    #[test]
    fn a_token_of_a_public_key_is_checked_with_the_keys_of_its_issuer() {
        // {"alg":"ES256"} and {"sub":"u1","role":"admin","exp":1700000060,"iat":1700000000}
        let token = "eyJhbGciOiJFUzI1NiJ9.\
                     eyJzdWIiOiJ1MSIsInJvbGUiOiJhZG1pbiIsImV4cCI6MTcwMDAwMDA2MCwiaW\
                     F0IjoxNzAwMDAwMDAwfQ.c2ln";
        let secrets = ["secret".to_owned()];
        let report = inspect(&PastedToken::read(token), &secrets, 1_700_000_000_000);
        let text = report.text(Paint::PLAIN);
        let lines: Vec<&str> = text.lines().skip(5).collect();
        insta::assert_snapshot!(lines.join("\n").replace("; ", ";\n"), @r"
        signature: not checked
        no other problems found: signed with ES256;
        --jwks FILE or --jwks URL names the keys of its issuer, to check the signature
        ");
    }

    /// Returns the report on a token whose claims are written like this.
    fn written(claims: &str) -> TokenReport {
        enable_hmac();
        let claims: &RawValue = serde_json::from_str(claims).unwrap();
        let key = EncodingKey::from_secret(b"secret");
        let token = encode(&Header::default(), &claims, &key.unwrap()).unwrap();
        inspect(&PastedToken::read(&token), &["secret".to_owned()], 0)
    }

    #[track_caller]
    fn check_claim(claims: &str, expected: &str) {
        let report = written(claims);
        let text = report.text(Paint::PLAIN);
        let mut lines = text.lines().skip_while(|line| line.starts_with("alg: "));
        assert_eq!(lines.next(), Some(expected), "{text}");
        let is_safe = |c: char| c == '\n' || !c.is_control();
        assert!(text.chars().all(is_safe), "{text:?}");
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(json.lines().count(), 1, "{json}");
    }

    #[test]
    fn a_name_of_a_claim_cannot_look_like_another_line() {
        check_claim(
            r#"{"a\u001b[2K\nsignature: good":1}"#,
            r"a\u{1b}[2K\nsignature: good: 1",
        );
        check_claim(
            r#"{"a\u009b\u202e\u2028":1}"#,
            r"a\u{9b}\u{202e}\u{2028}: 1",
        );
        check_claim(r#"{"größe":1}"#, "größe: 1");
    }

    #[test]
    fn a_claim_is_printed_in_one_line_without_control_characters() {
        check_claim(
            "{\"a\":{\r\n \"b c\" : [1.50,\t2] }}",
            r#"a: {"b c":[1.50,2]}"#,
        );
        check_claim(r#"{"a":"x\n\u001b y"}"#, r#"a: "x\n\u001b y""#);
        check_claim(
            "{\"a\":\"\u{9b}2J\u{202e}\u{7f}\"}",
            r#"a: "\u009b2J\u202e\u007f""#,
        );
        check_claim(r#"{"a":"\" : \\","b":1}"#, r#"a: "\" : \\""#);
    }

    #[test]
    fn a_problem_is_printed_in_one_line_without_control_characters() {
        for claims in [
            "{\"exp\":1,\"sub\":{\r\n\"signature\":\"\u{9b}\"}}",
            "{\"exp\":1,\"sub\":\"\u{9b}\\nsignature: good\"}",
            "{\"exp\":1,\"role\":\"\u{9b}\u{202e}\"}",
        ] {
            let text = written(claims).text(Paint::PLAIN);
            let is_safe = |c: char| c == '\n' || !c.is_control();
            assert!(text.chars().all(is_safe), "{text:?}");
            let known = [
                "alg: ",
                "exp: ",
                "sub: ",
                "role: ",
                "signature: good",
                "refused: ",
                "warning: ",
            ];
            for line in text.lines() {
                assert!(known.iter().any(|known| line.starts_with(known)), "{line}");
            }
        }
    }

    #[track_caller]
    fn check_time(name: &str, value: &str, expected: &str) {
        let report = TokenReport {
            now: 1_700_000_000_000,
            ..written("{}")
        };
        assert_eq!(report.claim(name, value), expected);
    }

    #[test]
    fn a_time_in_any_form_is_followed_by_its_date_and_its_distance() {
        let exp = "1.7e9 (2023-11-14 22:13:20Z, ended 0 s ago)";
        check_time("exp", "1.7e9", exp);
        let exp = "1700003599.5 (2023-11-14 23:13:19Z, ends in 59 min)";
        check_time("exp", "1700003599.5", exp);
        let nbf = "-0.5 (1969-12-31 23:59:59Z, began 19675 d ago)";
        check_time("nbf", "-0.5", nbf);
        check_time(
            "nbf",
            "1700000010",
            "1700000010 (2023-11-14 22:13:30Z, begins in 10 s)",
        );
        check_time(
            "iat",
            "1700000010",
            "1700000010 (2023-11-14 22:13:30Z, issued in 10 s)",
        );
        check_time("exp", "true", "true");
        check_time("n", "1", "1");
    }

    #[test]
    fn a_time_is_also_shown_in_the_zone_of_this_machine() {
        let report = TokenReport {
            now: 1_700_000_000_000,
            zone: Zone::named("CET-1CEST,M3.5.0,M10.5.0/3"),
            ..written("{}")
        };
        assert_eq!(
            report.claim("exp", "1700003600"),
            "1700003600 (2023-11-14 23:13:20Z, here 2023-11-15 00:13:20 +01:00, ends in 60 min)"
        );
    }
}
