//! What a configuration says besides its checks: how long to ride out a restart, and who may use how much CPU.

use super::Source;
use super::raw::{Placed, RawCpu, RawFile};
use super::validate::{Validation, time};
use crate::cpu::exempt;
use crate::judge::Exception;
use crate::select::Fault;
use std::time::Duration;

/// The settings of all files together.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// For how long a check may fail before that counts, where it does not say itself.
    pub recheck: Option<Duration>,
    /// `[cpu]`
    pub cpu: CpuSettings,
}

/// `[cpu]`
#[derive(Clone, Debug, Default)]
pub struct CpuSettings {
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
    /// Takes in what one file says; gives the faults of the file, and those of its `[cpu]`.
    pub(super) fn take(
        &mut self,
        validation: &Validation<'_>,
        source: &Source,
        file: &RawFile,
    ) -> (Vec<Fault>, Vec<Fault>) {
        let mut faults = Vec::new();
        if let Some(recheck) = &file.recheck {
            if self.recheck.is_some() {
                faults.push(Fault::new(
                    recheck.1.clone(),
                    "`recheck` for all checks is given in two files",
                    "give it once, or in the checks that are meant",
                ));
            }
            self.recheck = time(recheck, &mut faults).or(self.recheck);
        }
        let of_cpu = file
            .cpu
            .as_ref()
            .map(|cpu| self.cpu.take(validation, source, cpu));
        (faults, of_cpu.unwrap_or_default())
    }
}

impl CpuSettings {
    fn take(&mut self, validation: &Validation<'_>, source: &Source, raw: &RawCpu) -> Vec<Fault> {
        let mut faults = raw.faults.clone();
        let time = |text: &Option<Placed<String>>, faults: &mut Vec<Fault>| {
            text.as_ref().and_then(|text| time(text, faults))
        };
        if let Some((text, place)) = &raw.limit {
            match parse_percent(text) {
                Ok(limit) => self.limit = Some(limit),
                Err(help) => faults.push(Fault::new(place.clone(), "this is no limit", help)),
            }
        }
        if let Some(window) = time(&raw.window, &mut faults) {
            let range = Duration::from_millis(500)..=Duration::from_secs(600);
            if !range.contains(&window) {
                let place = raw.window.as_ref().map_or(0..0, |(_, place)| place.clone());
                faults.push(Fault::new(
                    place,
                    "a window lies between 500ms and 10m",
                    "write \"3s\"",
                ));
            }
            self.window = Some(window);
        }
        self.lasting = time(&raw.lasting, &mut faults).or(self.lasting);
        self.warning = time(&raw.warning, &mut faults).or(self.warning);
        self.critical = time(&raw.critical, &mut faults).or(self.critical);
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
