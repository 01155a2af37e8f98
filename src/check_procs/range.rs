//! A range of the monitoring-plugins, `[@]start:end`: which values alert.

use crate::judge::State;

/// A range. Both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least value in it; minus infinity for `~`.
    pub start: f64,
    /// The greatest value in it.
    pub end: f64,
    /// `@`: what is in it alerts. Else what is not.
    pub inside: bool,
}

/// Why a text is no range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This is not a number.
    NotANumber(String),
    /// The start is above the end.
    Reversed(String),
    /// There is no bound in it.
    NoBound,
}

impl Fault {
    /// What is wrong with it, and what to write.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Fault::NotANumber(text) => {
                format!("`{text}` is no number; a range is 10, 10:, ~:10, 10:20 or @10:20")
            }
            Fault::Reversed(inside) => {
                format!("the start is above the end; write {inside} to alert within")
            }
            Fault::NoBound => "there is no bound in it; a range is 10, 10:, ~:10, 10:20 or @10:20".into(),
        }
    }
}

impl Range {
    /// Reads a range. check_procs takes whatever is no number for 0, so that `-w abc` is `-w 0`: here that is a fault.
    /// `percent`: whether a number may end in `%`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str, percent: bool) -> Result<Range, Fault> {
        let text = text.trim();
        let (inside, rest) = match text.strip_prefix('@') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (start, end) = match rest.split_once(':') {
            Some((start, end)) => (start.trim(), end.trim()),
            None => ("", rest.trim()),
        };
        if start.is_empty() && end.is_empty() {
            return Err(Fault::NoBound);
        }
        let bound = |text: &str, open: f64| match text {
            "" => Ok(open),
            text => number(text, percent).ok_or_else(|| Fault::NotANumber(text.to_owned())),
        };
        let range = Range {
            start: if start == "~" {
                f64::NEG_INFINITY
            } else {
                bound(start, 0.0)?
            },
            end: bound(end, f64::INFINITY)?,
            inside,
        };
        if range.start > range.end {
            return Err(Fault::Reversed(format!("@{end}:{start}")));
        }
        Ok(range)
    }

    /// Whether this value alerts.
    #[must_use]
    pub fn alerts(&self, value: f64) -> bool {
        (self.start <= value && value <= self.end) == self.inside
    }
}

/// A decimal number, maybe with an exponent: neither `nan`, `inf` nor `0x10`, which strtod(3) takes.
#[must_use]
pub fn number(text: &str, percent: bool) -> Option<f64> {
    let text = text.strip_suffix('%').filter(|_| percent).unwrap_or(text);
    let unsigned = |text: &'_ str| text.strip_prefix(['-', '+']).unwrap_or(text).to_owned();
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let mantissa = unsigned(mantissa);
    let (whole, part) = mantissa.split_once('.').unwrap_or((&mantissa, ""));
    let exponent = unsigned(exponent);
    let plain = digits(whole) && digits(part) && whole.len() + part.len() > 0;
    if !plain || exponent.is_empty() || !digits(&exponent) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// What alerts, and how badly.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// `-w`
    pub warning: Option<Range>,
    /// `-c`, which is asked first.
    pub critical: Option<Range>,
}

impl Thresholds {
    /// What a value is.
    #[must_use]
    pub fn state(&self, value: f64) -> State {
        let alerts = |range: Option<Range>| range.is_some_and(|range| range.alerts(value));
        if alerts(self.critical) {
            State::Critical
        } else if alerts(self.warning) {
            State::Warning
        } else {
            State::Ok
        }
    }

    /// All that a whole number of this interval may be. A state holds from one bound of a range to the next.
    #[must_use]
    pub fn states(&self, least: f64, most: f64) -> Vec<State> {
        let bounds = [self.warning, self.critical];
        let bounds = bounds.iter().flatten().flat_map(|range| [range.start, range.end]);
        let near = bounds.flat_map(|bound| {
            [
                bound.floor() - 1.0,
                bound.floor(),
                bound.ceil(),
                bound.ceil() + 1.0,
            ]
        });
        let mut states: Vec<State> = near
            .chain([least, most])
            .filter(|value| (least..=most).contains(value))
            .map(|value| self.state(value))
            .collect();
        states.sort_unstable_by_key(|state| state.badness());
        states.dedup();
        states
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alerting(text: &str) -> Vec<i32> {
        let range = Range::parse(text, false).unwrap();
        (-3..=12)
            .filter(|value| range.alerts(f64::from(*value)))
            .collect()
    }

    #[test]
    fn what_is_outside_alerts_and_with_an_at_sign_what_is_inside() {
        assert_eq!(alerting("10"), [-3, -2, -1, 11, 12]);
        assert_eq!(alerting(":10"), alerting("10"));
        assert_eq!(alerting("10:"), (-3..10).collect::<Vec<_>>());
        assert_eq!(alerting("~:10"), [11, 12]);
        assert_eq!(alerting("-1:1"), [-3, -2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        assert_eq!(alerting("@1:3"), [1, 2, 3]);
        assert_eq!(alerting("@~:-2"), [-3, -2]);
        assert!(alerting("~:").is_empty());
        assert_eq!(
            alerting("0.5:1.5"),
            [-3, -2, -1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
        );
        assert_eq!(alerting(" 1 : 2 "), alerting("1:2"));
        assert_eq!(alerting("1e1"), alerting("10"));
    }

    #[test]
    fn what_is_no_number_is_a_fault() {
        for text in [
            "abc", "1x", "1:2x", "1:12%", "0x10", "1e", "1e2.5", "1E3", "nan", "inf", "1.2.3", "--1", "~",
            "1:~", "a:b", "1:2:3", ".",
        ] {
            assert!(
                matches!(Range::parse(text, false), Err(Fault::NotANumber(_))),
                "{text}"
            );
        }
        for text in ["", ":", "@", "@:", " "] {
            assert_eq!(Range::parse(text, false), Err(Fault::NoBound), "{text}");
        }
        assert_eq!(Range::parse("5:1", false), Err(Fault::Reversed("@1:5".into())));
        assert_eq!(Range::parse("1:12%", true), Range::parse("1:12", false));
    }

    #[test]
    fn critical_is_asked_before_warning() {
        let thresholds = Thresholds {
            warning: Range::parse("5", false).ok(),
            critical: Range::parse("10", false).ok(),
        };
        assert_eq!(thresholds.state(5.0), State::Ok);
        assert_eq!(thresholds.state(6.0), State::Warning);
        assert_eq!(thresholds.state(11.0), State::Critical);
        assert_eq!(Thresholds::default().state(1e9), State::Ok);
    }

    #[test]
    fn an_interval_has_the_states_of_all_its_numbers() {
        let ranges = ["5", "2:", "@3:4", "~:7", "2.5:6.5", "@0:0"];
        for warning in ranges {
            for critical in ranges {
                let thresholds = Thresholds {
                    warning: Range::parse(warning, false).ok(),
                    critical: Range::parse(critical, false).ok(),
                };
                for least in 0..10_u8 {
                    for most in least..10 {
                        let mut all: Vec<State> = (least..=most)
                            .map(|count| thresholds.state(f64::from(count)))
                            .collect();
                        all.sort_unstable_by_key(|state| state.badness());
                        all.dedup();
                        let (least, most) = (f64::from(least), f64::from(most));
                        assert_eq!(
                            thresholds.states(least, most),
                            all,
                            "{warning} {critical} {least}-{most}"
                        );
                    }
                }
            }
        }
    }
}
