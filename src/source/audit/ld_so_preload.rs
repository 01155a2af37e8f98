//! `/etc/ld.so.preload` of ld.so(8): libraries that every program loads.

use super::untold;
use crate::audit::host::Fact;
use crate::source::procfs::Procfs;
use std::io::ErrorKind;

const FILE: &str = "/etc/ld.so.preload";

pub(super) fn look(_: &Procfs) -> Fact {
    match std::fs::read(FILE) {
        Ok(text) => Fact::Told(found(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Fact::Told(Vec::new()),
        Err(error) => untold(FILE, error),
    }
}

fn found(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c == ':')
        .filter(|word| !word.is_empty())
        .collect();
    if words.is_empty() {
        Vec::new()
    } else {
        vec![format!("{FILE} names {}", words.join(", "))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_names_nothing() {
        assert_eq!(found(b" \n\n"), [] as [String; 0]);
        assert_eq!(
            found(b"/lib/x.so\n/lib/y.so:z.so\n"),
            ["/etc/ld.so.preload names /lib/x.so, /lib/y.so, z.so"]
        );
    }
}
