//! The documentation is true: every key is described, every spec parses, every configuration loads.

use procward::select::Key;
use procward::select::spec::{Dialect, parse};
use procward::snapshot::{Accounts, FileId};

/// Every user and file exists.
struct Generous;

impl Accounts for Generous {
    fn uid(&self, _: &str) -> Result<Option<u32>, String> {
        Ok(Some(1))
    }
    fn gid(&self, _: &str) -> Result<Option<u32>, String> {
        Ok(Some(1))
    }
    fn user_name(&self, _: u32) -> Option<String> {
        None
    }
    fn group_name(&self, _: u32) -> Option<String> {
        None
    }
    fn file(&self, path: &str) -> Result<Option<FileId>, String> {
        // All are programs, none a directory.
        Ok((!path.ends_with("/.")).then(FileId::default))
    }
}

pub(crate) fn document(name: &str) -> String {
    std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).expect(name)
}

/// The code spans in the first column of every table below a heading.
pub(crate) fn first_column(text: &str, heading: &str) -> Vec<String> {
    let section = text.split(heading).nth(1).expect(heading);
    let section = section.split("\n## ").next().unwrap_or(section);
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split("` |").next())
        .map(|spec| spec.replace("\\|", "|"))
        .collect()
}

#[test]
fn every_key_is_in_the_documentation_and_nothing_else() {
    let text = document("docs/selectors.md");
    let mut documented = first_column(&text, "## Keys");
    let mut known: Vec<String> = Key::ALL.iter().map(|key| key.name().to_owned()).collect();
    documented.sort();
    known.sort();
    assert_eq!(documented, known);
}

#[test]
fn at_least_forty_specs_for_real_hosts_are_documented_and_parse() {
    let specs = first_column(&document("docs/selectors.md"), "## Specs for real hosts");
    assert!(specs.len() >= 40, "only {}", specs.len());
    for spec in specs {
        assert!(
            parse(&spec, &Generous, Dialect::Native).is_ok(),
            "{spec}: {:?}",
            parse(&spec, &Generous, Dialect::Native)
        );
    }
}

#[test]
fn the_specs_of_the_readme_parse() {
    let specs = first_column(&document("README.md"), "## Five minutes");
    assert!(specs.len() >= 6);
    for spec in specs {
        assert!(parse(&spec, &Generous, Dialect::Native).is_ok(), "{spec}");
    }
}

#[test]
fn the_configuration_of_the_readme_has_no_fault() {
    let readme = document("README.md");
    let toml = readme
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("a toml block");
    let toml = toml.replace("user=test", "user=root");
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("procward.toml");
    std::fs::write(&path, toml).expect("written");
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_procward"))
        .args(["config", "check", "--config"])
        .arg(&path)
        .output()
        .expect("it runs");
    assert_eq!(String::from_utf8_lossy(&run.stdout), "2 checks, no fault\n");
    assert!(run.status.success());
}
