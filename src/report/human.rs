//! For people: a table, worst first, then what is wrong.

use super::{Look, details, escape, first_line};
use crate::judge::{Manner, Report, State};
use std::fmt::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The column of names where nobody says how wide a line may be; a longer name pushes its line to the right.
const NAMES: usize = 40;

/// The whole output.
pub(super) fn render(report: &Report, look: &Look) -> String {
    let mut text = format!("{}: {}\n", state(report.state, look), first_line::text(report));
    let width = report
        .verdicts
        .iter()
        .map(|verdict| escape::text(verdict.name.as_bytes()).width())
        .max()
        .unwrap_or(0)
        .min(look.width.map_or(NAMES, |width| width / 3));
    if !report.verdicts.is_empty() {
        text.push('\n');
    }
    for verdict in &report.verdicts {
        let count = match verdict.manner {
            Manner::Faulty => "-".to_owned(),
            _ if verdict.unknown == u64::MAX => format!("{}-", verdict.matched),
            _ if verdict.unknown > 0 => format!(
                "{}-{}",
                verdict.matched,
                verdict.matched.saturating_add(verdict.unknown)
            ),
            _ => verdict.matched.to_string(),
        };
        let name = escape::text(verdict.name.as_bytes());
        let wants = escape::text(verdict.wants.as_bytes());
        // The state takes 8 columns, the count 5 or so; a few letters of a sentence would tell nothing.
        let (name, wants) = match look.width {
            None => (name, wants),
            Some(columns) => {
                let room = columns.saturating_sub(12 + width + count.len().max(5));
                let wants = if room < 12 {
                    String::new()
                } else {
                    cut(&wants, room)
                };
                (cut(&name, width), wants)
            }
        };
        let pad = " ".repeat(8usize.saturating_sub(verdict.state.word().len()));
        let fill = " ".repeat(width.saturating_sub(name.width()));
        let line = format!(
            "{}{pad} {name}{fill} {count:>5}  {wants}",
            state(verdict.state, look)
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let details = details::text(report, look);
    if !details.is_empty() {
        text.push('\n');
        text += &details;
    }
    text
}

/// The word of a state, in its colour.
pub(super) fn state(state: State, look: &Look) -> String {
    let color = match state {
        State::Ok => "32",
        State::Warning => "33",
        State::Critical => "1;31",
        State::Unknown => "35",
    };
    if look.color {
        format!("\x1b[{color}m{}\x1b[0m", state.word())
    } else {
        state.word().to_owned()
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 0;
    let mut kept: String = text
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used < width
        })
        .collect();
    kept.push('…');
    kept
}
