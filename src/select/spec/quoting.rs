//! Texts in quotes, as a spec or a shell takes them.

use super::lexer::Piece;

/// The values without blanks round `|`.
pub(super) fn tight(piece: Piece<'_>) -> String {
    let values: Vec<&str> = piece
        .split('|', |_| false)
        .iter()
        .map(|value| value.trim().raw())
        .collect();
    values.join("|")
}

/// The piece in quotes.
pub(super) fn quoted(piece: Piece<'_>) -> String {
    let plain = piece.plain();
    if piece.begins('[') && piece.ends(']') && piece.glyphs().len() > 2 {
        return format!(
            "[{}]",
            in_quotes(plain.get(1..plain.len() - 1).unwrap_or_default())
        );
    }
    in_quotes(&plain)
}

pub(super) fn in_quotes(plain: &str) -> String {
    match (plain.contains('"'), plain.contains('\'')) {
        (false, _) => format!("\"{plain}\""),
        (true, false) => format!("'{plain}'"),
        (true, true) => plain
            .split('"')
            .map(|part| format!("\"{part}\""))
            .collect::<Vec<_>>()
            .join("'\"'"),
    }
}

/// A value in quotes, if it holds what a spec would take for its own.
pub(super) fn quoted_where_needed(value: &str) -> String {
    if value.contains([',', ':', '"', '\'']) {
        in_quotes(value)
    } else {
        value.to_string()
    }
}

/// As a shell takes it for one argument.
pub(super) fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
