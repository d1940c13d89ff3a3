//! Lines and the candidates for them.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::commands::connect::rooms::Rooms;

fn known() -> Known {
    let mut known = Known::default();
    let rooms = Rooms::default();
    rooms.answered("join_order_room", &json!({"room": "order-o1"}));
    known.add_role("customer:u1", rooms);
    known.add_role("tailor:t1", Rooms::default());
    known.observe(
        "order_update",
        &json!({"_id": "o2", "orderNumber": "MT-261129-M636WW", "status": "ready"}),
    );
    known.observe("stock_low", &json!({"sku": "thread"}));
    known
}

fn files(beginning: &str) -> Vec<String> {
    let all = ["big.json", "my file.json", "orders/", "it's.json"];
    let fitting = all.into_iter().filter(|path| path.starts_with(beginning));
    fitting.map(str::to_owned).collect()
}

fn completed(line: &str) -> Option<Completion> {
    complete(line, line.len(), &known(), files)
}

/// Checks the line after Tab, and the names that are listed if there are several.
#[track_caller]
fn check(line: &str, after: &str, listed: &[&str]) {
    let completion = completed(line);
    let found = completion.map_or((line.to_owned(), Vec::new()), |found| {
        let longer = found
            .longer
            .map(|longer| format!("{}{longer}", &line[..found.start]));
        (longer.unwrap_or(line.to_owned()), found.names)
    });
    let names = if found.1.len() > 1 {
        found.1
    } else {
        Vec::new()
    };
    assert_eq!(
        (found.0.as_str(), names),
        (after, listed.iter().map(|&name| name.to_owned()).collect())
    );
}

#[test]
fn commands_are_completed() {
    check("/j", "/join ", &[]);
    check("/o", "/offline ", &[]);
    check("@tailor:t1 /le", "@tailor:t1 /leave ", &[]);
    check("/qu it", "/qu it", &[]);
    check("hello", "hello", &[]);
    let all = completed("").unwrap().names;
    assert_eq!(all, VERBS);
    assert_eq!(completed("/").unwrap().names, VERBS);
}

#[test]
fn connected_roles_are_completed() {
    check("@t", "@tailor:t1 ", &[]);
    check("@", "@", &["@customer:u1", "@tailor:t1"]);
    check("/as c", "/as customer:u1 ", &[]);
    check("/as a", "/as all ", &[]);
    check("@a:b @t", "@a:b @t", &[]);
}

#[test]
fn events_are_completed() {
    check("/emit j", "/emit join_order_room ", &[]);
    check("/emit st", "/emit stock_low ", &[]);
    check("/await order_", "/await order_update ", &[]);
    check("/await l", "/await live ", &[]);
    check("/emit o", "/emit o", &[]);
}

#[test]
fn orders_that_were_seen_or_joined_are_completed() {
    check("/join M", "/join MT-261129-M636WW ", &[]);
    check("/join o", "/join o", &["o2", "o1"]);
    check("/leave ", "/leave o1 ", &[]);
    check("@tailor:t1 /leave ", "@tailor:t1 /leave ", &[]);
    check(
        "/emit join_order_room MT",
        "/emit join_order_room MT-261129-M636WW ",
        &[],
    );
    check("/join o1 o", "/join o1 o", &[]);
    check("/wait o", "/wait o", &[]);
}

#[test]
fn an_event_names_its_orders() {
    let mut known = Known::default();
    for data in [
        json!({"_id": "n1", "relatedOrder": "a1"}),
        json!({"paymentId": "p1", "orderId": "a2"}),
        json!({"order": {"_id": "a3", "orderNumber": "MT-1-A"}}),
        json!({"orderId": "a4\u{1b}[2J"}),
        json!({"orderId": "order-a5"}),
        json!([1]),
    ] {
        known.observe("x", &data);
    }
    assert_eq!(known.orders(), ["MT-1-A", "a3", "a2", "a1"]);
}

#[test]
fn names_of_peers_that_can_be_none_are_not_completed() {
    let mut known = Known::default();
    known.observe("a b\u{1b}[2J", &json!({}));
    assert_eq!(known.events_and([]), Vec::<String>::new());
}

#[test]
fn what_is_remembered_has_a_bound() {
    let mut known = Known::default();
    for n in 0..1_000 {
        known.observe(&format!("e{n}"), &json!({"orderId": format!("o{n}")}));
    }
    assert_eq!(known.orders().len(), 200);
    assert_eq!(known.orders()[0], "o999");
    assert_eq!(known.events_and([]).len(), 200);
}

#[test]
fn paths_are_completed_behind_an_at_sign() {
    check("/emit x @b", "/emit x @big.json ", &[]);
    check("/emit x @or", "/emit x @orders/", &[]);
    check("/emit x @my", r"/emit x @my\ file.json ", &[]);
    check("/emit x '@my", "/emit x '@my file.json' ", &[]);
    check("/emit x \"@it", "/emit x \"@it's.json\" ", &[]);
    check("/await x a=1 @b", "/await x a=1 @big.json ", &[]);
    check("/emit x b", "/emit x b", &[]);
}

#[test]
fn a_quote_stays() {
    check("/join \"M", "/join \"MT-261129-M636WW\" ", &[]);
    check("/join 'o", "/join 'o", &["o2", "o1"]);
    check("/join o\"1", "/join o\"1", &[]);
    check("\"@tailor:t1\" /jo", "\"@tailor:t1\" /join ", &[]);
}

#[test]
fn nothing_is_completed_in_comments_and_json() {
    check("# /j", "# /j", &[]);
    check("/join #", "/join #", &[]);
    check("/emit x {\"a\": @b", "/emit x {\"a\": @b", &[]);
    check("/emit x [ @b", "/emit x [ @b", &[]);
}

#[test]
fn what_is_behind_the_cursor_stays() {
    let completion = complete("/jo o1", 3, &known(), files).unwrap();
    assert_eq!(completion.longer.as_deref(), Some("/join"));
    let completion = complete("/joo1", 3, &known(), files).unwrap();
    assert_eq!(completion.longer.as_deref(), Some("/join "));
}

proptest! {
    #[test]
    fn no_line_panics(line in any::<String>(), at in 0_usize..64) {
        let _ = complete(&line, at, &known(), files);
    }

    #[test]
    fn a_candidate_begins_with_what_was_typed(
        words in proptest::collection::vec(
            prop_oneof![
                Just("/join".to_owned()), Just("/emit".to_owned()), Just("@tailor:t1".to_owned()),
                "[/@'\"]?[a-zMé漢\\\\ #{]{0,4}",
            ],
            0..4,
        ),
        at in 0_usize..48,
    ) {
        let line = words.join(" ");
        let at = at.min(line.len());
        if let Some(found) = complete(&line, at, &known(), files) {
            let typed = &line[found.start..at];
            let longer = found.longer.as_deref().unwrap_or(typed);
            prop_assert!(longer.starts_with(typed), "{line:?} {found:?}");
        }
    }

    #[test]
    fn a_whole_name_is_one_word(name in "[a-z '\"\\\\é]{1,8}", quote in "['\"]?") {
        let line = format!("/emit x {quote}@{}", name.chars().next().unwrap());
        let found = complete(&line, line.len(), &Known::default(), |_| vec![name.clone()]);
        if let Some(longer) = found.and_then(|found| found.longer) {
            let words = shell_words::split(&longer).unwrap();
            prop_assert_eq!(words, [format!("@{name}")]);
        }
    }
}
