//! `-w` and `-c`: ranges as the plugin guidelines write them, in place of the one that a check has.

use crate::check_procs::range::Range as Threshold;
use crate::judge::{Item, State};
use crate::select::Range;

/// Reads `[@]start:end` as the counts for which all is well.
///
/// # Errors
/// Why it is none, and what to write.
pub fn parse_range(text: &str) -> Result<Range, String> {
    let threshold = Threshold::parse(text, false).map_err(|fault| fault.text())?;
    let Threshold { start, end, inside } = threshold;
    let range = match (inside, start <= 0.0, end.is_infinite()) {
        (false, ..) if end < 0.0 || start.ceil() > end.floor() => {
            return Err("no number of processes is in it, so it would always alert".into());
        }
        (false, ..) => Range {
            min: whole(start.ceil()),
            max: end.is_finite().then(|| whole(end.floor())),
        },
        (true, true, true) => {
            return Err("every number of processes is in it, so it would always alert".into());
        }
        (true, true, false) => Range {
            min: if end < 0.0 {
                0
            } else {
                whole(end.floor()).saturating_add(1)
            },
            max: None,
        },
        (true, false, true) => Range {
            min: 0,
            max: Some(whole(start.ceil()).saturating_sub(1)),
        },
        (true, false, false) => {
            return Err("it alerts in the middle only: write the numbers that are well, such as 2:5".into());
        }
    };
    Ok(range)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is less than 0 or more than 2^64 becomes that"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

/// Puts the ranges in place of those of the one check that there is. A check that is left out or faulty stays as it is.
///
/// # Errors
/// Which check is meant can't be told.
pub fn apply(items: &mut [Item], warning: Option<Range>, critical: Option<Range>) -> Result<(), String> {
    if warning.is_none() && critical.is_none() {
        return Ok(());
    }
    let [item] = items else {
        let count = items.len();
        return Err(format!(
            "-w and -c are about one check, and there are {count}: pick one with -r, or write `warning` and `count` into \
             the configuration"
        ));
    };
    if let Item::Check(check) = item {
        check.warning = warning.or(check.warning);
        if let Some(critical) = critical {
            check.count = critical;
            check.severity = State::Critical;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(min: u64, max: impl Into<Option<u64>>) -> Range {
        Range { min, max: max.into() }
    }

    #[test]
    fn a_range_says_what_is_well() {
        for (text, well) in [
            ("5", range(0, 5)),
            ("1:", range(1, None)),
            ("1:3", range(1, 3)),
            ("~:10", range(0, 10)),
            ("-3:4", range(0, 4)),
            ("@0:0", range(1, None)),
            ("@0", range(1, None)),
            ("@5:", range(0, 4)),
            ("1.5:2.5", range(2, 2)),
        ] {
            assert_eq!(parse_range(text), Ok(well), "{text}");
        }
    }

    #[test]
    fn a_range_that_no_check_can_keep_is_refused() {
        for (text, said) in [
            ("@2:3", "it alerts in the middle only"),
            ("~:-1", "no number of processes is in it"),
            ("@~:", "every number of processes is in it"),
            ("1.2:1.8", "no number of processes is in it"),
            ("abc", "`abc` is no number"),
            ("5:4", "the start is above the end"),
            (":", "there is no bound in it"),
        ] {
            let fault = parse_range(text).unwrap_err();
            assert!(fault.starts_with(said), "{text}: {fault}");
        }
    }

    proptest! {
        #[test]
        fn it_alerts_where_the_guidelines_do(text in "@?(~|-?[0-9]{1,2})?:?(-?[0-9]{1,2})?", count in 0u64..120) {
            if let (Ok(range), Ok(threshold)) = (parse_range(&text), Threshold::parse(&text, false)) {
                #[allow(clippy::cast_precision_loss, reason = "small numbers")]
                let alerts = threshold.alerts(count as f64);
                prop_assert_eq!(range.contains(count), !alerts);
            }
        }
    }
}
