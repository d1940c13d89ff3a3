//! The lines of `connect`, as they are read.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[track_caller]
fn check(text: &str, actor: Option<&str>, command: Command) {
    let actor = actor.map(str::to_owned);
    assert_eq!(text.parse(), Ok(CommandLine { actor, command }), "{text}");
}

#[track_caller]
fn check_payload(text: &str, payload: EmitPayload) {
    check(
        &format!("/emit x {text}"),
        None,
        Command::Emit("x".into(), payload),
    );
}

fn member(name: &str, value: Value) -> PayloadArg {
    PayloadArg::Member(name.into(), value)
}

/// Values whose texts have quotes, spaces and what is special in a shell.
fn value() -> impl Strategy<Value = Value> {
    let text = || "[a-z \"'\\\\#=\\[{é\t\n]{0,8}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(text(), inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

#[test]
fn a_line_has_a_command_and_perhaps_an_actor() {
    check("", None, Command::Nothing);
    check("  # /join o1", None, Command::Nothing);
    check("/join o1", None, Command::Join("o1".parse().unwrap()));
    check("/join order-o1", None, Command::Join("o1".parse().unwrap()));
    check(
        "@tailor:t1  /leave o1 ",
        Some("tailor:t1"),
        Command::Leave("o1".parse().unwrap()),
    );
    check("/drop", None, Command::Drop);
    check("/wait 2s", None, Command::Wait(Duration::from_secs(2)));
    check("/quit", None, Command::Quit);
}

#[test]
fn a_session_goes_away_and_comes_back() {
    let time = Some(Duration::from_millis(500));
    let cut = |time| Command::Leaving(Departure::Cut, time);
    let offline = |time| Command::Leaving(Departure::Offline, time);
    check("/cut", None, cut(None));
    check("/cut 500ms # c", None, cut(time));
    check("/offline", None, offline(None));
    check(
        "@tailor:t1 /offline 500ms",
        Some("tailor:t1"),
        offline(time),
    );
    check("/back", None, Command::Back(None));
    check("/back 500ms", None, Command::Back(time));
}

#[test]
fn the_next_lines_may_be_for_one_role() {
    let tailor = || Command::As(Some("tailor:t1".to_owned()));
    check("/as tailor:t1", None, tailor());
    check("/as @tailor:t1 # c", None, tailor());
    check("/as all", None, Command::As(None));
}

#[test]
fn each_command_is_in_the_help() {
    for verb in VERBS {
        assert!(COMMANDS.contains(&format!("  {verb}")), "{verb}");
    }
    for line in COMMANDS.lines() {
        assert!(line.chars().count() < 78, "{line}");
    }
}

#[test]
fn a_misspelt_command_gets_a_suggestion() {
    let refused = |line: &str| line.parse::<CommandLine>().unwrap_err();
    assert_eq!(
        refused("/jion o1"),
        "unknown command \"/jion\": did you mean /join?"
    );
    let other = "unknown command \"hello\": /help lists the commands";
    assert_eq!(refused("hello"), other);
}

#[test]
fn a_comment_may_follow_a_command() {
    let join = || Command::Join("o1".parse().unwrap());
    check("/join o1 # u1's order", None, join());
    check("@tailor:t1 /join o1\t#", Some("tailor:t1"), join());
    check(
        "/wait 10ms # c",
        None,
        Command::Wait(Duration::from_millis(10)),
    );
    check("/drop # c", None, Command::Drop);
    check("/help #", None, Command::Help);
    check_payload(
        r##"{"a": "# b"} # it's c"##,
        EmitPayload::Json(json!({"a": "# b"})),
    );
    check_payload(
        "a=1 # b=2",
        EmitPayload::Args(vec![member("a", json!("1"))]),
    );
    check_payload("n:=1 # b", EmitPayload::Args(vec![member("n", json!(1))]));
    check_payload("# c", EmitPayload::Args(Vec::new()));
    check_payload("'# c'", EmitPayload::Word("# c".into()));
    check_payload("a#b", EmitPayload::Word("a#b".into()));
}

#[test]
fn a_payload_is_a_word_or_arguments() {
    let word = EmitPayload::Word("o1".into());
    check(
        "/emit join_order_room o1",
        None,
        Command::Emit("join_order_room".into(), word),
    );
    check_payload("42", EmitPayload::Word("42".into()));
    check_payload("n:=1", EmitPayload::Args(vec![member("n", json!(1))]));
    check_payload("", EmitPayload::Args(Vec::new()));
}

#[test]
fn a_payload_may_be_json() {
    let object = json!({"a": 1, "b": {"c": "d e's"}});
    check_payload(r#"{"a":1, "b": {"c": "d e's"}}"#, EmitPayload::Json(object));
    check_payload("[1, 2]", EmitPayload::Json(json!([1, 2])));
    check_payload(r#"'{"a":1}'"#, EmitPayload::Word(r#"{"a":1}"#.into()));
    let items = vec![member("n", json!({"a": "b c"})), member("s", json!("x"))];
    check_payload(
        r#"n:={"a": "b c"} s:="x""#,
        EmitPayload::Args(items.clone()),
    );
    check_payload(r#"n:='{"a": "b c"}' s:=\"x\""#, EmitPayload::Args(items));
}

#[test]
fn a_payload_may_be_a_string_of_json() {
    check_payload(
        r#""it's \"so\"\n\u00e9" # c"#,
        EmitPayload::Word("it's \"so\"\né".into()),
    );
    check_payload(
        r#""@""#,
        EmitPayload::Args(vec![PayloadArg::File(String::new())]),
    );
    let items = vec![member("a", json!("b c"))];
    check_payload(r#""a=b c""#, EmitPayload::Args(items));
    check_payload(r#""costs \$5""#, EmitPayload::Word("costs $5".into()));
}

#[test]
fn the_words_before_a_payload_may_be_quoted() {
    let line = r#"@"tailor:t1" '/emit' "my event" {"it's": "x"}"#;
    let payload = EmitPayload::Json(json!({"it's": "x"}));
    let emit = Command::Emit("my event".into(), payload);
    check(line, Some("tailor:t1"), emit);
}

#[test]
fn a_member_may_be_quoted() {
    let items = vec![member("a", json!("b c")), member("d e", json!(""))];
    check_payload(r#"a="b c" 'd e='"#, EmitPayload::Args(items));
}

#[test]
fn a_long_unknown_command_is_not_shown_in_full() {
    let long = "é".repeat(1_000_000);
    let error = long.parse::<CommandLine>().unwrap_err();
    assert!(error.len() < 200, "{}", error.len());
    let error = "/fly".parse::<CommandLine>().unwrap_err();
    assert!(error.starts_with("unknown command \"/fly\":"), "{error}");
}

#[test]
fn an_invalid_line_is_refused() {
    for text in [
        "hello",
        "/join",
        "/join a b",
        "/join a.b",
        "/join ''",
        "/emit",
        "/emit x a b",
        "/emit x a='b",
        r#"/emit x {"a":}"#,
        r#"/emit x {"a":1} b=2"#,
        "/emit x n:= 1",
        "/wait soon",
        "/fly",
        "@tailor:t1",
        "@tailor:t1 join o1",
        "/join # o1",
        "/emit # x",
        "@tailor:t1 # /join o1",
        r##"/emit x {"a":1}# c"##,
    ] {
        assert!(text.parse::<CommandLine>().is_err(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn a_quoted_event_comes_back(event in "[^\n]{1,8}") {
        let line = shell_words::join(["@customer:c1", "/emit", &event, "a=b"]);
        let actor = Some("customer:c1".to_owned());
        let payload = EmitPayload::Args(vec![member("a", json!("b"))]);
        let command = Command::Emit(event, payload);
        prop_assert_eq!(line.parse(), Ok(CommandLine { actor, command }));
    }

    #[test]
    fn json_comes_back(value in value(), next in value()) {
        let emitted = |payload: String| match format!("/emit x {payload} # c").parse() {
            Ok(CommandLine { command: Command::Emit(_, payload), .. }) => payload,
            other => panic!("{other:?}"),
        };
        let members = vec![member("n", value.clone()), member("m", next.clone())];
        prop_assert_eq!(emitted(format!("n:={value} m:={next}")), EmitPayload::Args(members));
        let list = json!([value]);
        let text = format!("{list:#}").replace('\n', " ");
        prop_assert_eq!(emitted(text), EmitPayload::Json(list));
        let quoted = Value::from(format!("q{}", value.to_string().replace('=', "")));
        let word = EmitPayload::Word(quoted.as_str().unwrap().to_owned());
        prop_assert_eq!(emitted(quoted.to_string()), word);
    }

    #[test]
    fn no_text_panics(
        text in any::<String>(),
        line in "@?[a-zé:]{0,4} ?/(join|emit|await|wait|as|back) [@a-z=:0-9 ]{0,12}",
        payload in r#"[{}\[\]a:=é'" \\1]{0,16}"#,
    ) {
        let _ = text.parse::<CommandLine>();
        let _ = line.parse::<CommandLine>();
        let _ = format!("/emit x {payload}").parse::<CommandLine>();
    }
}
