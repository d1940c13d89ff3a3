//! Tests of filters as their callers use them.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn event() -> Value {
    json!({
        "event": "order_update",
        "data": {"_id": "o1", "status": "ready", "amount": 120_000, "items": [1, 2, 3]},
    })
}

fn variables() -> FilterValues {
    FilterValues::from([
        ("order".to_owned(), json!("o1")),
        ("amounts".to_owned(), json!([1, 120_000])),
    ])
}

fn parse(text: &str) -> Result<Filter, InvalidFilter> {
    Filter::parse(text, &["order", "amounts"])
}

fn values(text: &str) -> Result<Vec<Value>, FilterFailed> {
    parse(text).unwrap().values(&event(), &variables())
}

#[track_caller]
fn check(text: &str, expected: Value) {
    assert_eq!(values(text).map(Value::from), Ok(expected), "{text}");
}

/// The error as a person sees it: message, the marked part of the text, hint.
fn error(text: &str) -> String {
    let error = parse(text).unwrap_err();
    let marked = &text[error.span.clone()];
    let hint = error.hint.clone().unwrap_or_default();
    format!("{error} [{marked}]\n  {hint}")
        .trim_end()
        .to_owned()
}

#[test]
fn a_filter_makes_values_of_an_event() {
    check(".data.amount", json!([120_000]));
    check(".data.items[]", json!([1, 2, 3]));
    check("empty", json!([]));
    check(".data.staus", json!([null]));
    check("[.data.items[] | . * 2] | add", json!([12]));
    check(".data.status | test(\"^rea\")", json!([true]));
    check("[.data.items[] | select(. > 1)]", json!([[2, 3]]));
    check(
        "1e1000, 0.5, 12345678901234567890",
        json!([null, 0.5, 12_345_678_901_234_567_890_u64]),
    );
    check("def twice: . * 2; .data.items[0] | twice", json!([2]));
    check(".data | del(.items[0]) | .items", json!([[2, 3]]));
    check(".data.items | map(. + 1) | .[1:]", json!([[3, 4]]));
    check("[paths] | length", json!([9]));
    check("[limit(2; repeat(1))]", json!([[1, 1]]));
    check("first(range(10; infinite))", json!([10]));
    check("[.data.items[] as $i | $i + 1] | @json", json!(["[2,3,4]"]));
    check("try error(\"no\") catch .", json!(["no"]));
    check(
        "label $done | .data.items[] | if . > 1 then break $done else . end",
        json!([1]),
    );
    check(
        "[.data | to_entries[] | .key] | sort | first",
        json!(["_id"]),
    );
    check("[.data.items[:2] | combinations(1)]", json!([[[1], [2]]]));
}

#[test]
fn a_filter_reads_the_variables_of_its_caller() {
    check(".data._id == $order", json!([true]));
    check(
        ".data.amount as $a | $amounts | index($a) != null",
        json!([true]),
    );
    check("$amounts[0] as $order | $order", json!([1]));
    check("\"order-\\($order)\"", json!(["order-o1"]));
    check("{$order} | .order", json!(["o1"]));
    let filter = parse("$order").unwrap();
    let failed = filter.values(&event(), &FilterValues::new()).unwrap_err();
    assert_eq!(failed.to_string(), "the variable $order has no value");
}

#[test]
fn one_value_is_wanted_of_some_filters() {
    let value = |text: &str| parse(text).unwrap().value(&event(), &variables());
    assert_eq!(value(".data.amount"), Ok(json!(120_000)));
    assert_eq!(value("empty"), Err(FilterFailed::Nothing));
    assert_eq!(value(".data.items[]"), Err(FilterFailed::Several));
}

#[test]
fn a_text_that_is_no_filter_is_refused_with_place_and_cure() {
    let texts = [
        "",
        ".data.amount == ",
        ".data.amount = = 1",
        ".data.amount === 1",
        ".a || .b",
        ".a && .b",
        ".status == 'ready'",
        "!.read",
        "(.a",
        "[.a",
        ".a)",
        "\"open",
        "if .a then 1",
        ".a | lenght",
        ".data.status | test",
        "ready",
        "$ordre",
        "$nothing",
        ".a | IN(1, 2)",
        "65 | ascii",
        "foo::bar",
        "reduce .a as $x (1)",
        "break $out",
        "include \"x\"; .",
    ];
    let errors: Vec<String> = texts
        .iter()
        .map(|text| format!("{text} → {}", error(text)))
        .collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"
     → the filter is empty []
    .data.amount ==  → expected a value, but the filter ends []
    .data.amount = = 1 → expected a value, not `=` [=]
      write `==`
    .data.amount === 1 → expected the end of the filter, not `===` [===]
      write `==`
    .a || .b → expected the end of the filter, not `||` [||]
      write `or`
    .a && .b → expected a token, not `&` [&]
      write `and`
    .status == 'ready' → expected a token, not `'` [']
      write texts in " "
    !.read → expected a value, not `!` [!]
      write `| not` behind it
    (.a → `(` has no closing parenthesis [(]
    [.a → `[` has no closing bracket [[]
    .a) → `)` closes nothing [)]
    "open → `"` has no closing quote ["]
    if .a then 1 → expected `else` or `end`, but the filter ends []
    .a | lenght → there is no filter lenght [lenght]
      did you mean length?
    .data.status | test → test takes 1 or 2 arguments, not 0 [test]
      arguments stand in ( ), with ; between them
    ready → there is no filter ready [ready]
      if ready is a member, write .ready; if it is a text, "ready"
    $ordre → the variable $ordre is not set [$ordre]
      did you mean $order?
    $nothing → the variable $nothing is not set [$nothing]
      there are $order, $amounts
    .a | IN(1, 2) → there is no filter IN [IN]
      write VALUE as $x | any(A, B; . == $x)
    65 | ascii → there is no filter ascii [ascii]
      write [.] | implode
    foo::bar → there is no module foo [foo]
    reduce .a as $x (1) → reduce takes 2 arguments [reduce]
    break $out → there is no label $out [$out]
    include "x"; . → expected the end of the filter, not `"x"` ["x"]
    "#);
}

#[test]
fn a_filter_that_depends_on_more_than_its_event_is_refused() {
    let texts = [
        "now",
        "input",
        "[inputs]",
        "env.HOME",
        "$ENV.HOME",
        "debug",
        "stderr",
        "halt",
        "halt_error",
        "input_filename",
        "localtime",
        "debug(1)",
        "halt(3)",
    ];
    let errors: Vec<String> = texts.map(error).into();
    insta::assert_snapshot!(errors.join("\n"), @r#"
    now is not offered: a filter depends on its event alone [now]
      compare with .data._rt.ts, the time of the commit
    input is not offered: a filter depends on its event alone [input]
    inputs is not offered: a filter depends on its event alone [inputs]
    env is not offered: a filter depends on its event alone [env]
      give the value as a variable
    $ENV is not offered: a filter depends on its event alone [$ENV]
      give the value as a variable
    debug is not offered: a filter depends on its event alone [debug]
    stderr is not offered: a filter depends on its event alone [stderr]
    halt is not offered: a filter depends on its event alone [halt]
    halt_error is not offered: a filter depends on its event alone [halt_error]
    input_filename is not offered: a filter depends on its event alone [input_filename]
    localtime is not offered: a filter depends on its event alone [localtime]
      write gmtime
    debug is not offered: a filter depends on its event alone [debug]
    halt is not offered: a filter depends on its event alone [halt]
    "#);
}

#[test]
fn an_error_of_jq_is_returned_in_one_short_text() {
    let raised = values(".data.amount.x").unwrap_err();
    assert_eq!(raised.to_string(), "cannot index 120000 with \"x\"");
    let raised = values("[range(1000)] | error").unwrap_err().to_string();
    assert!(raised.chars().count() < 200, "{raised}");
    let raised = values("error").unwrap_err().to_string();
    assert!(raised.contains("order_update"), "{raised}");
}

#[test]
fn a_filter_that_runs_for_ever_is_stopped() {
    for text in [
        "range(infinite) | empty",
        "[range(infinite)]",
        "try (repeat(1) | empty) catch 1",
        "(repeat(1) | empty) // 7",
        "(repeat(1) | empty)?",
        "last(repeat(1))",
        "until(false; .)",
        "def f: f, f; f",
        "skip(infinite; repeat(1))",
        "[limit(1e9; repeat(1))] | length",
        "first(range(infinite) | select(false))",
        "[paths(recurse(.))]",
        "[foreach range(infinite) as $i (0; . + $i)]",
        "reduce range(1e9) as $i (0; . + $i)",
        &("(0, 1) + ".repeat(40) + "1 | empty"),
    ] {
        assert_eq!(values(text), Err(FilterFailed::TooManySteps), "{text}");
    }
}

#[test]
fn a_filter_that_would_exhaust_the_stack_is_stopped() {
    for text in [
        "def f: 1 + f; f",
        "def f: f | f; f",
        "def f: [f]; f",
        "def f: try f catch f; f",
        "recurse(.) |= 1",
    ] {
        assert_eq!(values(text), Err(FilterFailed::TooDeep), "{text}");
    }
}

#[test]
fn a_filter_that_makes_a_huge_value_is_stopped() {
    for text in [
        "until(false; [.])",
        "until(false; {a: .})",
        "reduce range(1e6) as $i ([]; [.]) | 1",
        "reduce range(100) as $i (\"a\"; . + .)",
        "reduce range(100) as $i ([1]; . + .)",
    ] {
        assert_eq!(values(text), Err(FilterFailed::TooLarge), "{text}");
    }
}

#[test]
fn a_text_of_many_brackets_is_refused_or_read() {
    let deep = |part: &str| part.repeat(4000 / part.len()) + "1";
    for text in [
        "(",
        "[",
        "-",
        "try ",
        "1|",
        "1+",
        "def f: ",
        "if 1 then ",
        "\"\\(",
        "{a:",
    ] {
        assert!(parse(&deep(text)).is_err(), "{text}");
    }
    assert!(parse(&("(".repeat(2000) + "1" + &")".repeat(2000))).is_ok());
    assert!(parse(&"1 ".repeat(3000)).is_err());
}

#[test]
fn the_same_filter_is_applied_many_times_from_several_threads() {
    let filter = parse(".data.items | length").unwrap();
    let count = || filter.values(&event(), &variables());
    std::thread::scope(|scope| {
        let others = [scope.spawn(count), scope.spawn(count)];
        for other in others {
            assert_eq!(other.join().unwrap(), Ok(vec![json!(3)]));
        }
    });
}

pub(in crate::expectation) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from);
        let members = proptest::collection::btree_map("[a-d]{1,2}", inner, 0..4);
        let object = members.prop_map(|members| Value::Object(members.into_iter().collect()));
        prop_oneof![list, object]
    })
}

const PARTS: [&str; 31] = [
    ".", ".a", "[]", "|", "(", ")", "==", ",", "and", "1", "\"x\"", "select", "$order", "?", "//",
    "if", "then", "end", "as", "reduce", "{", "}", ":", "recurse", "map", "add", "..", "-", "|=",
    "=", ";",
];

proptest! {
    #[test]
    fn a_value_passes_jq_unchanged(value in any_json()) {
        let same = parse(".").unwrap().values(&value, &FilterValues::new());
        prop_assert_eq!(same, Ok(vec![value]));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.span).is_some());
        }
    }

    #[test]
    fn no_text_of_the_parts_of_filters_panics(
        parts in proptest::collection::vec(proptest::sample::select(&PARTS), 0..12),
        value in any_json(),
    ) {
        if let Ok(filter) = parse(&parts.join(" ")) {
            let _ = filter.values(&value, &variables());
        }
    }
}
