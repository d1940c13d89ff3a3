//! Files that are wrong, and what is said about them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::Plan;
use crate::source_file::SourceFile;

fn file(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: PathBuf::from("qa/x.yaml"),
        text: text.to_owned(),
    })
}

/// A scenario with these steps.
fn with_steps(steps: &str) -> String {
    format!("scenario: x\npeople: {{ buyer: customer, boss: admin }}\nsteps:\n{steps}\n")
}

#[track_caller]
fn mistake(text: &str) -> String {
    let (file, mistake) = Plan::load(file(text), &BTreeMap::new()).unwrap_err();
    file.explain(&mistake, false)
}

fn step_mistakes(steps: &[&str]) -> String {
    let mistakes = steps.iter().map(|step| mistake(&with_steps(step)));
    mistakes.collect::<Vec<String>>().join("\n\n")
}

#[test]
fn a_name_that_is_not_there_is_marked_with_the_one_that_was_meant() {
    insta::assert_snapshot!(step_mistakes(&[
        "  - plce: { as: buyer }",
        "  - place: { as: byer }",
        "  - place: { as: buyer, itmes: [] }",
        "  - move: { as: boss, order: $oder, to: ready }",
        "  - expect: [{ as: buyer, evnt: order_update }]",
        "  - pay: { as: buyer, order: x, tamper: signatur }",
        "  - rest: { as: buyer, get: /a, expect: { statsu: 200 } }",
    ]));
}

#[test]
fn a_value_that_cannot_be_meant_is_marked() {
    insta::assert_snapshot!(step_mistakes(&[
        "  - expect: [{ as: buyer, event: a, never: b }]",
        "  - expect: [{ as: buyer }]",
        "  - expect: []",
        "  - expect: [{ as: buyer, never: a, times: 1 }]",
        "  - expect: [{ as: buyer, sequence: a, of: .data.b }]",
        "  - expect: [{ as: buyer, sequence: a, of: .data.b, is: [1], match: {} }]",
        "  - expect: [{ as: buyer, event: a, is: [1] }]",
        "  - expect: [{ as: buyer, event: a, times: 3..1 }]",
        "  - expect: [{ as: buyer, event: a, within: soon }]",
        "  - expect: [{ as: buyer, event: a, where: .data.b = 1 }]",
        "  - expect: [{ as: buyer, event: a, where: '.data.b == $nobody' }]",
        "  - expect: [{ as: buyer, event: a, where: '.data | ' }]",
        "  - rest: { as: buyer, get: /a, post: /b, expect: { status: 200 } }",
        "  - rest: { as: buyer, get: /a, expect: { where: .data = 1 } }",
        "  - place: { as: buyer, save: boss }",
        "  - place: { as: buyer, save: a-b }",
        "  - include: nowhere.yaml",
    ]));
}

#[test]
fn a_step_that_would_check_nothing_is_marked() {
    insta::assert_snapshot!(step_mistakes(&[
        "  - repeat: { times: 0, steps: [{ expect: [{ as: buyer, event: a }] }] }",
        "  - repeat: { until_met: true, times: 0, steps: [{ expect: [{ as: buyer, event: a }] }] }",
        "  - pay: { as: buyer, order: x, times: 0, expect: { status: 400 } }",
        "  - webhook: { payment: x, times: 0, expect: { status: 400 } }",
        "  - expect: [{ as: buyer, event: a, times: any, where: .data.b }]",
        "  - expect: [{ as: buyer, event: a, times: 0, save: b }]",
        "  - expect: [{ as: buyer, event: a, times: 0, within: 3s }]",
        "  - expect: [{ as: buyer, never: a, within: 3s }]",
        "  - rest: { as: buyer, get: /a, expect: { code: '' } }",
        "  - parallel:\n    - expect: [{ as: buyer, event: a }]\n    \
         - expect: [{ as: buyer, never: a }]",
        "  - parallel:\n    - expect: [{ as: buyer, event: a }]\n    \
         - repeat:\n        times: 2\n        \
         steps: [{ expect: [{ as: buyer, never: a }] }]",
    ]));
}

#[test]
fn a_text_that_is_no_time_is_marked_before_anything_runs() {
    insta::assert_snapshot!(step_mistakes(&[
        "  - wait: soon\n  - expect: [{ as: buyer, event: a }]",
        "  - back: { as: buyer, within: 1w, expect: { recovered: true } }",
        "  - run: { command: [a], within: 1.5x, expect: { exit: 0 } }",
    ]));
}

#[test]
fn people_of_whom_steps_at_the_same_time_expect_events_differ() {
    let text = with_steps(
        "  - parallel:\n\
         \x20   - expect: [{ as: buyer, event: a }]\n\
         \x20   - expect: [{ as: boss, event: a, times: any, only: true }]\n\
         \x20 - expect: [{ as: buyer, event: a, times: 0 }]",
    );
    let plan = Plan::load(file(&text), &BTreeMap::new()).unwrap();
    assert_eq!(plan.expectations, 3);
}

#[test]
fn a_text_that_is_no_yaml_is_marked_where_it_stops_being_it() {
    insta::assert_snapshot!(step_mistakes(&[
        "  - rest: { as: buyer, get: /a, expect: { where: .data.list[0] == 1 } }",
        "  - place: { as: buyer\n  - place: { as: buyer }",
        "  - place: { as: buyer, save: \"order }",
        "  - place:\n     as: buyer\n    save: order",
        "  - place: { as: ä, save: \tö }\n\t- place: { as: buyer }",
    ]));
}

#[test]
fn a_file_that_is_no_scenario_says_what_is_missing() {
    let texts = [
        "scenario: x\npeople: { buyer: customer }\nsteps:\n  - place: { as: buyer }\n",
        "scenario: x\nsteps: []\n",
        "scenario: x\npeople: { a: custmer }\nsteps: []\n",
        "scenario: x\npeople: { a: { role: customer, resume: magic } }\nsteps: []\n",
        "scenario: x\npeople: { a: { role: customer, trnsport: polling } }\nsteps: []\n",
        "scenario: x\npeople: { a: { role: customer, user: $b } }\nsteps: []\n",
        "scenario: x\npeople: { a-b: customer }\nsteps: []\n",
        "scenario: x\nmatrix: { how: [] }\npeople: { a: customer }\nsteps: []\n",
        "scenario: x\nscenario: y\n",
        "scenario: [\n",
        "just text",
        "",
    ];
    insta::assert_snapshot!(texts.map(mistake).join("\n\n"));
}

#[test]
fn a_variable_is_known_from_the_step_that_saves_it() {
    let text = with_steps(
        "  - place: { as: buyer, save: order }\n\
         \x20 - expect: [{ as: boss, event: order_update, match: { _id: $order }, save: seen }]\n\
         \x20 - repeat: { times: 2, steps: [{ notify: { as: boss, to: $buyer, title: '$n' } }] }\n\
         \x20 - rest: { as: boss, get: /a/$seen, expect: { where: '.data.id == $order' } }",
    );
    let plan = Plan::load(file(&text), &BTreeMap::new()).unwrap();
    assert_eq!(plan.expectations, 2);
    assert_eq!(plan.cases.len(), 1);
}

#[test]
fn steps_at_the_same_time_do_not_have_what_the_others_save() {
    let place =
        "- parallel:\n      - place: { as: buyer, save: a }\n      - place: { as: buyer, save: b }";
    let beside = format!("  {place}\n      - cancel: {{ as: buyer, order: $a }}");
    let said = mistake(&with_steps(&beside));
    assert!(said.contains("the variable `$a` has no value"), "{said}");
    let behind = "  - rest: { as: buyer, get: /$a/$b, expect: { status: 200 } }";
    let behind = with_steps(&format!("  {place}\n{behind}"));
    let plan = Plan::load(file(&behind), &BTreeMap::new()).unwrap();
    assert_eq!(plan.steps.len(), 2);
}

#[test]
fn a_matrix_has_a_case_for_each_combination() {
    let text = "scenario: x\nmatrix: { how: [position, device], n: [1, 2, 3] }\n\
                people: { a: { role: customer, resume: $how } }\n\
                steps:\n  - expect: [{ as: a, never: '*' }]\n";
    let plan = Plan::load(file(text), &BTreeMap::new()).unwrap();
    let labels: Vec<&str> = plan.cases.iter().map(|case| case.label.as_str()).collect();
    assert_eq!(labels.len(), 6);
    assert_eq!(labels[0], "position, 1");
    assert_eq!(labels[5], "device, 3");
}

#[test]
fn a_variable_without_a_value_has_to_be_given() {
    let text = "scenario: x\nvars: { pid: null }\npeople: { a: customer }\n\
                steps:\n  - run: { command: [kill, $pid] }\n\
                \x20 - expect: [{ as: a, event: 'rt:drain' }]\n";
    let plan = Plan::load(file(text), &BTreeMap::new()).unwrap();
    assert_eq!(plan.cases[0].lacks.as_deref(), Some("pid"));
    let given = BTreeMap::from([("pid".to_owned(), json!(7))]);
    let plan = Plan::load(file(text), &given).unwrap();
    assert_eq!(plan.cases[0].lacks, None);
}

proptest! {
    #[test]
    fn no_text_panics(text in "[ a-z:{}\\[\\]$\n'-]{0,200}") {
        if let Err((file, mistake)) = Plan::load(file(&text), &BTreeMap::new()) {
            let _ = file.explain(&mistake, false);
        }
    }

    #[test]
    fn no_change_of_a_scenario_panics(at in 0_usize..300, with in "[ -~äß🧵\n]{0,3}") {
        let whole = include_str!("../../../../examples/scenarios/tailor_replaced.yaml");
        let at = whole.floor_char_boundary(at.min(whole.len()));
        let text = format!("{}{with}{}", &whole[..at], &whole[at..]);
        if let Err((file, mistake)) = Plan::load(file(&text), &BTreeMap::new()) {
            let _ = file.explain(&mistake, true);
        }
    }
}
