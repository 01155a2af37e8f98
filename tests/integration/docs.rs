//! The documentation is true: every key is described, every spec parses, every configuration loads.

use crate::common::{Place, Procward};
use procward::config::audit::{AUDIT_KEYS, EXEMPT_KEYS, RULE_KEYS};
use procward::select::Key;
use procward::select::spec::{Dialect, parse};
use procward::snapshot::{Accounts, FileId};
use std::path::{Path, PathBuf};

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

/// The folders of the sources, but for those of tests.
fn folders(of: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(of).expect("a folder");
    let entries: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    let name = of.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("below it");
    let is_of_tests = |entry: &&PathBuf| entry.ends_with("tests.rs") || entry.ends_with("tests");
    let only_tests = entries.iter().all(|entry| is_of_tests(&entry));
    let below = entries
        .iter()
        .filter(|entry| entry.is_dir() && !is_of_tests(entry));
    let own = (!only_tests).then(|| name.display().to_string());
    own.into_iter()
        .chain(below.flat_map(|dir| folders(dir)))
        .collect()
}

#[test]
fn the_architecture_names_every_folder_and_nothing_that_is_not_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = document("docs/architecture.md");
    let spans: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let unnamed: Vec<String> = folders(&root.join("src"))
        .into_iter()
        .filter(|folder| folder != "src" && !spans.contains(&folder.as_str()))
        .collect();
    assert_eq!(unnamed, Vec::<String>::new());
    let is_path = |span: &&&str| span.starts_with("src/") || span.ends_with(".rs") && span.contains('/');
    let gone: Vec<&&str> = spans
        .iter()
        .filter(is_path)
        .filter(|span| !root.join(span).exists() && !root.join("src").join(span).exists())
        .collect();
    assert_eq!(gone, Vec::<&&str>::new());
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
fn the_keys_are_listed_as_documented() {
    let text = document("docs/selectors.md");
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_procward"))
        .arg("keys")
        .env_remove("COLUMNS")
        .output()
        .expect("it runs");
    let said = String::from_utf8(run.stdout).expect("text");
    assert_eq!(said.lines().count(), Key::ALL.len());
    let names = Key::ALL.iter().map(|key| key.name().len()).max().unwrap_or(0);
    for (key, line) in Key::ALL.iter().zip(said.lines()) {
        let (name, kind) = (key.name(), key.kind().word());
        assert_eq!(line, format!("{name:<names$}  {kind:<12}  {}", key.doc()));
        assert!(text.contains(&format!("| `{name}` | {kind} | ")), "{name}");
    }
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

/// The keys of the specs below a heading, all of which are well formed and have a range.
fn keys_shown(heading: &str) -> Vec<Key> {
    let mut shown = Vec::new();
    for spec in first_column(&document("docs/selectors.md"), heading) {
        let parsed = parse(&spec, &Generous, Dialect::Native);
        let parsed = parsed.unwrap_or_else(|faults| panic!("{spec}: {faults:?}"));
        assert!(parsed.range.is_some(), "{spec} has no range");
        shown.extend(parsed.selector.terms.into_iter().map(|term| term.key));
    }
    shown
}

#[test]
fn the_specs_for_rights_and_labels_parse_and_show_every_such_key() {
    let shown = keys_shown("## Specs for rights and labels");
    let others = [
        Key::GroupSupplementary,
        Key::NoNewPrivs,
        Key::Seccomp,
        Key::Tracer,
        Key::Umask,
    ];
    let labels = Key::ALL.iter().copied().filter(|key| key.is_label());
    for key in others.into_iter().chain(labels) {
        assert!(shown.contains(&key), "no spec shows {}", key.name());
    }
}

#[test]
fn the_specs_for_sockets_and_files_parse_and_show_every_such_key() {
    let shown = keys_shown("## Specs for sockets and files");
    for key in Key::ALL.iter().filter(|key| key.is_of_descriptors()) {
        assert!(shown.contains(key), "no spec shows {}", key.name());
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

/// What is in the fences of a document, with what is written behind their opening.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut fences = text.split("\n```");
    fences.next();
    // Between an opening and a closing fence is a block, between a closing and an opening one is text.
    while let Some(block) = fences.next() {
        let (kind, content) = block.split_once('\n').expect("a block");
        blocks.push((kind.to_owned(), format!("{content}\n")));
        fences.next();
    }
    blocks
}

/// What `procward config` says of a text in procward.toml.
fn config(command: &str, toml: &str) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("procward.toml"), toml).expect("written");
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_procward"))
        .args(["config", command, "--config", "procward.toml"])
        .current_dir(dir.path())
        .output()
        .expect("it runs");
    String::from_utf8(run.stdout).expect("text")
}

#[test]
fn the_configuration_of_the_readme_has_no_fault() {
    let blocks = blocks(&document("README.md"));
    let (_, toml) = blocks
        .iter()
        .find(|(kind, _)| kind == "toml")
        .expect("a toml block");
    assert_eq!(config("check", toml), "2 checks, no fault\n");
}

#[test]
fn the_examples_of_the_configuration_file_do_what_is_written_below_them() {
    let blocks = blocks(&document("docs/configuration.md"));
    let mut kinds = Vec::new();
    for pair in blocks.windows(2) {
        let [(kind, toml), (_, said)] = pair else { continue };
        let command = match kind.as_str() {
            "toml" => "show",
            "toml faulty" => "check",
            _ => continue,
        };
        assert_eq!(config(command, toml), *said);
        kinds.push(kind.clone());
    }
    assert_eq!(kinds, ["toml", "toml faulty"]);
    let (_, cpu) = blocks
        .iter()
        .find(|(kind, _)| kind == "toml cpu")
        .expect("an example");
    let said = config("check", cpu);
    assert!(said.ends_with("no fault\n"), "{said}");
}

#[test]
fn every_key_of_a_check_is_documented_and_nothing_else() {
    let documented = first_column(&document("docs/configuration.md"), "## Keys of a check");
    assert_eq!(documented, procward::config::raw::CHECK_KEYS);
}

#[test]
fn every_key_of_the_audit_is_documented_and_nothing_else() {
    let text = document("docs/configuration.md");
    for (heading, keys) in [
        ("## Audit", &AUDIT_KEYS[..]),
        ("## Exemptions from the audit", &EXEMPT_KEYS),
        ("## Rules of one's own", &RULE_KEYS),
    ] {
        assert_eq!(first_column(&text, heading), keys, "{heading}");
    }
}

#[test]
fn every_key_that_takes_a_right_is_documented_with_it() {
    let text = document("docs/configuration.md");
    let documented = first_column(&text, "## Rights");
    let restricted: Vec<&Key> = Key::ALL
        .iter()
        .filter(|key| !key.capabilities().is_empty())
        .collect();
    let names: Vec<&str> = restricted.iter().map(|key| key.name()).collect();
    assert_eq!(documented, names);
    for key in restricted {
        let rights: Vec<&str> = key.capabilities().iter().map(|one| one.name()).collect();
        assert!(
            text.contains(&format!("| `{}` | {} |", key.name(), rights.join(" "))),
            "{key:?}"
        );
    }
}

#[test]
fn every_metric_is_documented_and_nothing_else() {
    // Two runs that differ in what they find, and remember it.
    let place = Place::new();
    let own = format!(
        "[[check]]\nname = \"test\"\nselect = \"pid={}\"\n",
        std::process::id()
    );
    let metrics = |count: &str| {
        let configuration = place.script("procward.toml", &format!("{own}count = \"{count}\"\n"));
        let run = Procward::check("prometheus").arg("--config").arg(configuration);
        run.arg("--state").arg(place.path().join("state")).run().stdout()
    };
    metrics("1");
    let text = metrics("0");
    let heads = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut written: Vec<String> = heads
        .filter_map(|head| Some(head.split_once(' ')?.0.to_owned()))
        .collect();
    let mut documented = first_column(&document("docs/integrations.md"), "## Prometheus");
    written.sort();
    documented.sort();
    assert_eq!(documented, written);
}

#[test]
fn every_file_of_contrib_is_in_the_documentation() {
    let text = document("docs/integrations.md");
    let contrib = format!("{}/contrib", env!("CARGO_MANIFEST_DIR"));
    for directory in std::fs::read_dir(contrib).expect("contrib").flatten() {
        let name = directory.file_name().into_string().expect("a name");
        assert!(
            text.contains(&format!("`contrib/{name}/")) || text.contains(&format!(" contrib/{name}/")),
            "{name}"
        );
    }
}

#[test]
fn every_line_of_the_table_of_systems_names_a_file_of_contrib_that_is_there() {
    let text = document("docs/integrations.md");
    let rows = text.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<&str> = rows.take_while(|row| !row.starts_with("| metric")).collect();
    assert!(rows.len() > 2);
    for row in &rows[2..] {
        let words = row.split([' ', '`']);
        let files: Vec<&str> = words.filter(|word| word.starts_with("contrib/")).collect();
        assert!(!files.is_empty(), "{row}");
        for file in files {
            let file = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
            assert!(std::path::Path::new(&file).exists(), "{file}");
        }
    }
}
