//! The parts of a term of jq.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern};
use jaq_core::path::{Part, Path};

pub(super) type Term<'s> = jaq_core::load::parse::Term<&'s str>;
pub(super) type Definition<'s> = jaq_core::load::parse::Def<&'s str>;

/// Calls the function with each term that is a direct part of this one.
pub(super) fn for_each<'s>(term: &mut Term<'s>, f: &mut dyn FnMut(&mut Term<'s>)) {
    use jaq_core::load::parse::Term as T;
    match term {
        T::Id | T::Recurse | T::Num(_) | T::Arr(None) | T::Break(_) | T::Var(_) => {}
        T::Str(_, parts) => parts.iter_mut().for_each(|part| in_text(part, f)),
        T::Arr(Some(inner)) | T::Neg(inner) | T::Label(_, inner) => f(inner),
        T::Obj(members) => in_object(members, f),
        T::BinOp(left, operator, right) => {
            f(left);
            if let BinaryOp::Pipe(Some(pattern)) = operator {
                in_pattern(pattern, f);
            }
            f(right);
        }
        T::Fold(_, source, pattern, args) => {
            f(source);
            in_pattern(pattern, f);
            args.iter_mut().for_each(f);
        }
        T::TryCatch(tried, handler) => {
            f(tried);
            handler.iter_mut().for_each(|handler| f(handler));
        }
        T::IfThenElse(branches, otherwise) => {
            for (condition, then) in branches {
                f(condition);
                f(then);
            }
            otherwise.iter_mut().for_each(|otherwise| f(otherwise));
        }
        T::Def(definitions, rest) => {
            definitions.iter_mut().for_each(|def| f(&mut def.body));
            f(rest);
        }
        T::Call(_, args) => args.iter_mut().for_each(f),
        T::Path(of, path) => {
            f(of);
            in_path(path, f);
        }
    }
}

fn in_object<'s>(members: &mut [(Term<'s>, Option<Term<'s>>)], f: &mut dyn FnMut(&mut Term<'s>)) {
    for (key, value) in members {
        f(key);
        value.iter_mut().for_each(&mut *f);
    }
}

fn in_text<'s>(part: &mut StrPart<&'s str, Term<'s>>, f: &mut dyn FnMut(&mut Term<'s>)) {
    if let StrPart::Term(term) = part {
        f(term);
    }
}

fn in_pattern<'s>(pattern: &mut Pattern<&'s str>, f: &mut dyn FnMut(&mut Term<'s>)) {
    match pattern {
        Pattern::Var(_) => {}
        Pattern::Arr(items) => items.iter_mut().for_each(|item| in_pattern(item, f)),
        Pattern::Obj(members) => {
            for (key, value) in members {
                f(key);
                in_pattern(value, f);
            }
        }
    }
}

fn in_path<'s>(path: &mut Path<Term<'s>>, f: &mut dyn FnMut(&mut Term<'s>)) {
    for (part, _) in &mut path.0 {
        match part {
            Part::Index(index) => f(index),
            Part::Range(from, to) => from.iter_mut().chain(to).for_each(&mut *f),
        }
    }
}
