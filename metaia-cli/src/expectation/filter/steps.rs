//! The steps that one application of a filter may take.
//!
//! Every place of a program that can repeat itself, the body of a definition or a source of many
//! values, contains the native filter [`STEP`] ([`super::metered`] puts it there). It passes its
//! input on, and ends the program once a limit is exceeded. The end is jaq's `halt`, which no `try`
//! of a filter catches, and which is not offered to filters otherwise.
//!
//! The limits are counted, not timed, so that the same filter ends in the same way on a busy
//! machine. Steps on large values take longer, so a filter that has taken [`STEPS_PER_LOOK`] steps
//! also ends after [`TIME_LIMIT`].

use std::cell::Cell;
use std::time::{Duration, Instant};

use jaq_core::box_iter::box_once;
use jaq_core::data::{DataT, HasLut};
use jaq_core::native::Fun;
use jaq_core::{Exn, Lut, Native, PathsPtr, RunPtr, UpdatePtr};
use jaq_json::Val;

/// The name of the native filter. It has a blank, so no filter can call or define it.
pub(super) const STEP: &str = "one step";

/// A condition on an event takes some tens.
const MAX_STEPS: u32 = 200_000;

/// A filter that takes fewer steps never looks at the clock.
const STEPS_PER_LOOK: u32 = 16_384;

const TIME_LIMIT: Duration = Duration::from_secs(1);

/// The bytes of stack that a filter may use: threads have at least 2 MiB.
const MAX_STACK: usize = 512 * 1024;

/// The bytes of a text, or the items of a list, that a filter may make.
const MAX_SIZE: usize = 1024 * 1024;

/// The levels of a value that a filter may make: dropping a value uses stack for each. An event has
/// at most 128.
const MAX_LEVELS: usize = 512;

/// The levels are counted at one step in `2^6`, because the whole value has to be visited.
const COUNTED_STEPS: u32 = 6;

/// The limit that a filter exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    Steps = 1,
    Stack = 2,
    Size = 3,
}

impl Limit {
    pub(super) fn of_code(code: i32) -> Self {
        match code {
            2 => Self::Stack,
            3 => Self::Size,
            _ => Self::Steps,
        }
    }
}

/// Counts the steps of one application.
#[derive(Debug)]
pub(super) struct Steps {
    taken: Cell<u32>,
    began: Instant,
    /// An address of the stack at the beginning.
    stack: usize,
}

impl Steps {
    pub(super) fn new() -> Self {
        Self {
            taken: Cell::new(0),
            began: Instant::now(),
            stack: stack_address(),
        }
    }

    fn take(&self, value: &Val) -> Result<(), Limit> {
        let taken = self.taken.get() + 1;
        self.taken.set(taken);
        if taken > MAX_STEPS || self.is_late(taken) {
            return Err(Limit::Steps);
        }
        if self.stack.abs_diff(stack_address()) > MAX_STACK {
            return Err(Limit::Stack);
        }
        if size(value) > MAX_SIZE || (is_counted(taken) && is_deep(value)) {
            return Err(Limit::Size);
        }
        Ok(())
    }

    fn is_late(&self, taken: u32) -> bool {
        taken.is_multiple_of(STEPS_PER_LOOK) && self.began.elapsed() > TIME_LIMIT
    }
}

/// Returns whether the levels are counted at this step. The steps are scattered: at regular
/// intervals a loop could always pass its small values.
fn is_counted(step: u32) -> bool {
    // The odd number next to 2^32 divided by the golden ratio.
    step.wrapping_mul(0x9E37_79B1) >> (u32::BITS - COUNTED_STEPS) == 0
}

/// Returns the address of a local variable, which tells how much of the stack is in use.
#[inline(never)]
fn stack_address() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

fn size(value: &Val) -> usize {
    match value {
        Val::TStr(text) | Val::BStr(text) => text.len(),
        Val::Arr(items) => items.len(),
        Val::Obj(members) => members.len(),
        Val::Null | Val::Bool(_) | Val::Num(_) => 0,
    }
}

/// Returns whether the value has more than [`MAX_LEVELS`]. It is not recursive: that is the point.
fn is_deep(value: &Val) -> bool {
    let mut rest = vec![(value, 1)];
    while let Some((value, level)) = rest.pop() {
        if level > MAX_LEVELS {
            return true;
        }
        match value {
            Val::Arr(items) => rest.extend(items.iter().map(|item| (item, level + 1))),
            Val::Obj(members) => rest.extend(members.values().map(|item| (item, level + 1))),
            Val::Null | Val::Bool(_) | Val::Num(_) | Val::TStr(_) | Val::BStr(_) => {}
        }
    }
    false
}

/// Programs on JSON values whose steps are counted.
#[derive(Debug)]
pub(super) struct Stepped;

impl DataT for Stepped {
    type V<'a> = Val;
    type Data<'a> = Running<'a>;
}

/// The program and the count of one application.
#[derive(Clone, Copy)]
pub(super) struct Running<'a> {
    pub(super) program: &'a jaq_core::Filter<Stepped>,
    pub(super) steps: &'a Steps,
}

impl<'a> HasLut<'a, Stepped> for Running<'a> {
    fn lut(&self) -> &'a Lut<Stepped> {
        &self.program.lut
    }
}

/// Returns the native filter, which can stand wherever `.` can.
pub(super) fn step() -> Fun<Stepped> {
    let run: RunPtr<Stepped> = |(ctx, value)| {
        let taken = ctx.data().steps.take(&value);
        box_once(taken.map(|()| value).map_err(end))
    };
    let paths: PathsPtr<Stepped> = |(ctx, value)| {
        let taken = ctx.data().steps.take(&value.0);
        box_once(taken.map(|()| value).map_err(end))
    };
    let update: UpdatePtr<Stepped> = |(ctx, value), change| match ctx.data().steps.take(&value) {
        Ok(()) => change(value),
        Err(limit) => box_once(Err(end(limit))),
    };
    let step = Native::<Stepped>::new(run)
        .with_paths(paths)
        .with_update(update);
    (STEP, Box::new([]), step)
}

fn end<'a>(limit: Limit) -> Exn<'a, Val> {
    Exn::halt(limit as i32)
}
