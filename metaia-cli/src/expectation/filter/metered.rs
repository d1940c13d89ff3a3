//! Puts a step wherever a program can repeat itself, so that [`super::steps`] can count and end it.
//!
//! A program without end calls definitions again and again, or reads a source of many values. So a
//! step stands before the body of each definition, behind each source, before the first part of
//! each `a, b`, and before each update of `reduce` and `foreach`. A step before a body leaves a
//! tail call a tail call.

use jaq_core::load::parse::BinaryOp;
use jaq_core::path::{Part, Path};

use super::children::{self, Definition, Term};
use super::steps::STEP;

/// The native filter of jaq with any number of outputs.
const RANGE: &str = "range";

/// Returns the definition with its steps.
pub(super) fn definition(mut definition: Definition<'_>) -> Definition<'_> {
    put(&mut definition.body);
    definition.body = before(definition.body);
    definition
}

/// Puts the steps into the term.
pub(super) fn put(term: &mut Term<'_>) {
    use jaq_core::load::parse::Term as T;
    children::for_each(term, &mut put);
    match term {
        T::Def(definitions, _) => definitions
            .iter_mut()
            .for_each(|definition| replace(&mut definition.body, before)),
        T::BinOp(first, BinaryOp::Comma, _) => replace(first, before),
        T::Fold(_, _, _, args) => args
            .iter_mut()
            .skip(1)
            .for_each(|update| replace(update, before)),
        T::Recurse | T::Call(RANGE, _) => replace(term, after),
        T::Path(_, path) if is_source(path) => replace(term, after),
        _ => {}
    }
}

/// Returns whether the path has any number of outputs.
fn is_source(path: &Path<Term<'_>>) -> bool {
    let parts = path.0.iter();
    let mut iterations = parts.filter(|(part, _)| matches!(part, Part::Range(None, None)));
    iterations.next().is_some()
}

fn replace<'s>(term: &mut Term<'s>, by: fn(Term<'s>) -> Term<'s>) {
    let taken = std::mem::take(term);
    *term = by(taken);
}

fn before(term: Term<'_>) -> Term<'_> {
    pipe(step(), term)
}

fn after(term: Term<'_>) -> Term<'_> {
    pipe(term, step())
}

fn step<'s>() -> Term<'s> {
    Term::Call(STEP, Vec::new())
}

fn pipe<'s>(left: Term<'s>, right: Term<'s>) -> Term<'s> {
    Term::BinOp(Box::new(left), BinaryOp::Pipe(None), Box::new(right))
}
