//! The facts that are known so far, and the findings that have been printed.

use crate::doctor::{DoctorCheck, Facts, Finding, FindingLine, Findings, judge, summary};
use crate::exit::{Exit, Failure};
use crate::printer::Printer;
use crate::screen::Stream;

/// The facts, and the findings that were printed.
pub(super) struct Chart {
    pub(super) facts: Facts,
    findings: Vec<Finding>,
    printer: Printer,
}

impl Chart {
    pub(super) fn new(facts: Facts, printer: Printer) -> Self {
        Self {
            facts,
            findings: Vec::new(),
            printer,
        }
    }

    /// Prints the findings that are known now, up to the first one that is not.
    pub(super) fn show(&mut self) -> Result<(), Failure> {
        while let Some(check) = DoctorCheck::ALL.get(self.findings.len()) {
            let Some(finding) = judge(*check, &self.facts) else {
                return Ok(());
            };
            self.print(&finding)?;
            self.findings.push(finding);
        }
        Ok(())
    }

    fn print(&self, finding: &Finding) -> Result<(), Failure> {
        if self.printer.is_document() {
            return Ok(());
        }
        let columns = Stream::Out.columns();
        let line = FindingLine { finding, columns };
        // The exit code counts even if nobody reads on.
        self.printer.verdict(&line, Exit::Ok)?;
        Ok(())
    }

    /// Prints the rest, and returns the exit code of the first problem.
    pub(super) fn finish(mut self) -> Result<Exit, Failure> {
        self.facts.is_over = true;
        self.show()?;
        let problem = self.findings.iter().find_map(Finding::exit);
        let exit = problem.unwrap_or(Exit::Ok);
        if self.printer.is_document() {
            return self.printer.verdict(&Findings(&self.findings), exit);
        }
        if self.printer.is_text() {
            let columns = Stream::Out.columns();
            let summary = summary(&self.findings, columns, self.printer.paint());
            self.printer.lines(&format!("\n{summary}"));
        }
        Ok(exit)
    }
}
