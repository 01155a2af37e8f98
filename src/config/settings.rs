//! What a configuration says besides its checks: how long to ride out a restart, and who may use how much CPU.

use super::raw::{Placed, RawCpu, RawFile};
use super::validate::{Validation, time, window};
use super::{Source, audit};
use crate::cpu::{PATIENCE, exempt};
use crate::judge::Exception;
use crate::memory::Patience;
use crate::select::Fault;
use std::time::Duration;

/// The settings of all files together.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// For how long a check may fail before that counts, where it does not say itself.
    pub recheck: Option<Duration>,
    /// `[cpu]`
    pub cpu: CpuSettings,
    /// `[audit]`
    pub audit: crate::audit::Settings,
}

/// `[cpu]`
#[derive(Clone, Debug, Default)]
pub struct CpuSettings {
    /// Whether there is one.
    pub given: bool,
    /// Whether something of it can't be understood.
    pub faulty: bool,
    /// Percent of one core.
    pub limit: Option<u32>,
    /// Over what time it is measured.
    pub window: Option<Duration>,
    /// For how long it must last within a run.
    pub lasting: Option<Duration>,
    /// For how long from run to run it must last to be a warning.
    pub warning: Option<Duration>,
    /// And to be critical.
    pub critical: Option<Duration>,
    /// Built-in exemptions that are switched off.
    pub without: Vec<String>,
    /// Further ones.
    pub exempt: Vec<Exception>,
}

impl Settings {
    /// Takes in what one file says; gives the faults of the file, those of its `[cpu]`, and those of its `[audit]`.
    pub(super) fn take(
        &mut self,
        validation: &Validation<'_>,
        source: &Source,
        file: &RawFile,
    ) -> (Vec<Fault>, Vec<Fault>, Vec<Fault>) {
        let mut faults = Vec::new();
        if let Some(recheck) = &file.recheck {
            if self.recheck.is_some() {
                faults.push(Fault::new(
                    recheck.1.clone(),
                    "`recheck` for all checks is given in two files",
                    "give it once, or in the checks that are meant",
                ));
            }
            self.recheck = window(recheck, &mut faults).or(self.recheck);
        }
        let of_cpu = file
            .cpu
            .as_ref()
            .map(|cpu| self.cpu.take(validation, source, cpu));
        let of_audit = file
            .audit
            .as_ref()
            .map(|raw| audit::take(&mut self.audit, validation, source, raw));
        (faults, of_cpu.unwrap_or_default(), of_audit.unwrap_or_default())
    }
}

impl CpuSettings {
    fn take(&mut self, validation: &Validation<'_>, source: &Source, raw: &RawCpu) -> Vec<Fault> {
        self.given = true;
        let mut faults = raw.faults.clone();
        if let Some((text, place)) = &raw.limit {
            match parse_percent(text) {
                Ok(limit) => once(&mut self.limit, limit, place, &mut faults),
                Err(help) => faults.push(Fault::new(place.clone(), "this is no limit", help)),
            }
        }
        let mut take = |known: &mut Option<Duration>, raw: &Option<Placed<String>>| {
            if let Some(text) = raw
                && let Some(span) = time(text, &mut faults)
            {
                once(known, span, &text.1, &mut faults);
            }
        };
        take(&mut self.window, &raw.window);
        take(&mut self.lasting, &raw.lasting);
        take(&mut self.warning, &raw.warning);
        take(&mut self.critical, &raw.critical);
        faults.extend(self.window_fault(raw));
        faults.extend(self.order_fault(raw));
        for (name, place) in &raw.without {
            let known: Vec<String> = exempt::built_in().into_iter().map(|entry| entry.name).collect();
            if known.contains(name) {
                self.without.push(name.clone());
            } else {
                faults.push(Fault::new(
                    place.clone(),
                    format!("there is no built-in exemption `{name}`"),
                    format!("known are: {}", known.join(", ")),
                ));
            }
        }
        self.exempt
            .extend(validation.exceptions(source, &raw.exempt, &mut faults));
        faults
    }
}

impl CpuSettings {
    fn window_fault(&self, raw: &RawCpu) -> Option<Fault> {
        let (_, place) = raw.window.as_ref()?;
        let range = Duration::from_millis(500)..=Duration::from_secs(600);
        let outside = self.window.is_some_and(|window| !range.contains(&window));
        outside.then(|| {
            Fault::new(
                place.clone(),
                "a window lies between 500ms and 10m",
                "write \"3s\"",
            )
        })
    }

    /// What is critical before it is a warning would never be either.
    fn order_fault(&self, raw: &RawCpu) -> Option<Fault> {
        let (_, place) = raw.warning.as_ref().or(raw.critical.as_ref())?;
        let patience = self.patience();
        (patience.warning > patience.critical).then(|| {
            Fault::new(
                place.clone(),
                "`warning` is longer than `critical`",
                format!(
                    "give both, the shorter time as the warning: without them it is {} and {} minutes",
                    PATIENCE.warning.as_secs() / 60,
                    PATIENCE.critical.as_secs() / 60
                ),
            )
        })
    }

    /// For how long something must go on from run to run.
    #[must_use]
    pub fn patience(&self) -> Patience {
        Patience {
            warning: self.warning.unwrap_or(PATIENCE.warning),
            critical: self.critical.unwrap_or(PATIENCE.critical),
        }
    }
}

/// Sets what is not set yet.
fn once<T>(known: &mut Option<T>, value: T, place: &std::ops::Range<usize>, faults: &mut Vec<Fault>) {
    if known.replace(value).is_some() {
        faults.push(Fault::new(
            place.clone(),
            "this is given in two files",
            "give it once",
        ));
    }
}

/// What to say of a text that is no time span.
pub(super) fn time_fault(text: &str, place: std::ops::Range<usize>) -> Fault {
    Fault::new(
        place,
        format!("`{text}` is not a time span"),
        "write one whole number with `ms`, `s`, `m`, `h` or `d`: \"5s\", \"2m\"",
    )
}

/// Percent of one core, as `90%` or `90`.
///
/// # Errors
/// What to write instead.
pub fn parse_percent(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    number
        .parse()
        .ok()
        .filter(|percent| (1..=1_000_000).contains(percent))
        .ok_or_else(|| {
            format!("`{text}` is not a percentage of one core: write 90%, or 400% for four busy cores")
        })
}
