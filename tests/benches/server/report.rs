//! A table of figures beside their goals.

use std::fmt;

use metaia_tests::figures::median;

/// The goal of a figure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// The figure must be 0 in every round.
    Never,
    /// The figure has no goal. It helps to judge the others.
    None,
}

/// One figure, measured in several rounds.
#[derive(Debug)]
struct Row {
    what: String,
    unit: &'static str,
    rounds: Vec<f64>,
    goal: Goal,
}

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds a figure with one value for each round.
    pub(crate) fn add(
        &mut self,
        what: impl Into<String>,
        unit: &'static str,
        rounds: &[f64],
        goal: Goal,
    ) {
        let row = Row {
            what: what.into(),
            unit,
            rounds: rounds.to_vec(),
            goal,
        };
        eprintln!("  {row}");
        self.rows.push(row);
    }
}

impl Goal {
    fn is_met(self, rounds: &[f64]) -> bool {
        match self {
            Self::AtLeast(least) => median(rounds) >= least,
            Self::AtMost(most) => median(rounds) <= most,
            Self::Never => rounds.iter().all(|count| *count == 0.0),
            Self::None => true,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::AtLeast(least) => format!("≥ {}", number(*least)),
            Self::AtMost(most) => format!("≤ {}", number(*most)),
            Self::Never => "never".to_owned(),
            Self::None => String::new(),
        };
        f.pad(&text)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = self
            .rounds
            .iter()
            .fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(*x), b.max(*x)));
        let middle = median(&self.rounds);
        let verdict = if self.goal.is_met(&self.rounds) {
            ""
        } else {
            "  MISSED"
        };
        let spread = format!("{} – {}", number(least), number(most));
        let Self {
            what, unit, goal, ..
        } = self;
        write!(
            f,
            "{what:<66} {:>9} {unit:<6} {goal:<9} {spread:<19}{verdict}",
            number(middle)
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<66} {:>9} {:<6} {:<9} {:<19}",
            "figure", "median", "", "goal", "least – most"
        )?;
        self.rows
            .iter()
            .try_for_each(|row| writeln!(f, "{}", row.to_string().trim_end()))
    }
}

/// Formats a number without decimals if it is large or whole, and with two decimals otherwise.
fn number(value: f64) -> String {
    let places = if value.abs() >= 100.0 || value == value.trunc() {
        0
    } else {
        2
    };
    format!("{value:.places$}")
}
