//! The pure parts of the benchmarks: from the kernel's texts and from rounds to figures and tables.

mod choice;
mod comparison;
mod cores;
mod cpu;
mod markdown;
mod median;

pub use choice::Choice;
pub use comparison::{Column, Comparison};
pub use cores::allowed_cores;
pub use cpu::{CpuTime, TICKS_PER_SECOND};
pub use markdown::Table;
pub use median::median;
