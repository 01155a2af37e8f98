//! Values that are compared as numbers: counts, spans of time, sizes, shares of a core, mode bits.

use super::value::{Value, digits};
use crate::select::fault::Fault;
use crate::select::key::{Key, Kind};
use crate::select::selector::Matcher;

/// PID_MAX_LIMIT of linux/threads.h, where a long has 64 bits.
const HIGHEST_PID: i64 = 4 * 1024 * 1024;

impl Value<'_> {
    pub(super) fn number(self, plain: &str) -> Result<Matcher, Fault> {
        let name = self.key.name();
        let number = match plain.parse::<i64>() {
            Ok(number) if digits(plain.strip_prefix('-').unwrap_or(plain)) => number,
            _ if digits(plain) => {
                return Err(self.fault(format!("the number {plain} is too large"), "write a smaller one"));
            }
            _ => {
                let help = format!("write `{name}{}` and a whole number", self.op.text());
                return Err(self.fault(format!("`{plain}` is not a number"), help));
            }
        };
        let is_nice = matches!(self.key, Key::Nice | Key::NiceLowest);
        if is_nice && !(-20..=19).contains(&number) {
            return Err(self.fault(
                format!("`nice` is never {number}"),
                "write a number from -20 to 19",
            ));
        }
        let is_pid = matches!(
            self.key,
            Key::Pid | Key::Ppid | Key::Session | Key::Tracer | Key::ThreadsTracer | Key::FdMemory
        );
        if is_pid && number > HIGHEST_PID {
            return Err(self.fault(
                format!("no process has the number {plain}"),
                format!("write a number up to {HIGHEST_PID}, the most that the kernel gives"),
            ));
        }
        if !is_nice && number < 0 {
            return Err(self.fault(format!("`{name}` is never negative"), "write a number from 0 on"));
        }
        Ok(Matcher::Number(number, plain.to_string()))
    }

    /// Digits and a suffix from `units`.
    fn measure(self, plain: &str, units: &[(&str, i64)], what: &str, how: &str) -> Result<Matcher, Fault> {
        let split = plain.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(plain.len());
        let (count, suffix) = plain.split_at(split);
        let factor = if suffix.is_empty() {
            Some(1)
        } else {
            units.iter().find(|unit| unit.0 == suffix).map(|unit| unit.1)
        };
        let (Some(factor), false) = (factor, count.is_empty()) else {
            let lower = suffix.to_ascii_lowercase();
            let meant = match (self.key.kind(), lower.as_str()) {
                _ if count.is_empty() => None,
                (Kind::Size, "k" | "kb" | "kib") => Some("K"),
                (Kind::Size, "m" | "mb" | "mib") => Some("M"),
                (Kind::Size, "g" | "gb" | "gib") => Some("G"),
                (Kind::Size, "b") => Some(""),
                (Kind::Duration, "s" | "sec" | "secs" | "second" | "seconds") => Some("s"),
                (Kind::Duration, "m" | "min" | "mins" | "minute" | "minutes") => Some("m"),
                (Kind::Duration, "h" | "hour" | "hours") => Some("h"),
                (Kind::Duration, "d" | "day" | "days") => Some("d"),
                _ => None,
            };
            let help = meant.map_or_else(|| how.to_string(), |unit| self.write(&format!("{count}{unit}")));
            return Err(self.fault(format!("`{plain}` is not a {what}"), help));
        };
        let total = count
            .parse::<i64>()
            .ok()
            .and_then(|count| count.checked_mul(factor));
        match total {
            Some(total) => Ok(Matcher::Number(total, plain.to_string())),
            None => Err(self.fault(format!("the {what} {plain} is too large"), "write a smaller one")),
        }
    }

    pub(super) fn duration(self, plain: &str) -> Result<Matcher, Fault> {
        let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86400)];
        self.measure(
            plain,
            &units,
            "duration",
            "write one whole number with `s`, `m`, `h` or `d`: `90s`, `5m`, `2h`, `3d`",
        )
    }

    pub(super) fn size(self, plain: &str) -> Result<Matcher, Fault> {
        let units = [("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)];
        self.measure(
            plain,
            &units,
            "size",
            "write one whole number of bytes, or with `K`, `M` or `G`: `512M`",
        )
    }

    pub(super) fn percent(self, plain: &str) -> Result<Matcher, Fault> {
        let number = plain.strip_suffix('%').unwrap_or(plain);
        match number.parse::<i64>() {
            Ok(percent) if digits(number) => {
                Ok(Matcher::Number(percent.saturating_mul(10), plain.to_string()))
            }
            _ => {
                let help = "write a whole number of percent of one core: `80%`; four busy cores are `400%`";
                Err(self.fault(format!("`{plain}` is not a percentage"), help))
            }
        }
    }

    pub(super) fn octal(self, plain: &str) -> Result<Matcher, Fault> {
        let octal = plain.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        match i64::from_str_radix(plain, 8) {
            Ok(bits) if octal && bits <= 0o777 => Ok(Matcher::Number(bits, plain.to_string())),
            _ => {
                let help = format!(
                    "write octal digits as umask(1) prints them: `{}=0022`",
                    self.key.name()
                );
                Err(self.fault(format!("`{plain}` is no umask"), help))
            }
        }
    }
}
