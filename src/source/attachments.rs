//! The loaded profiles of AppArmor, and which programs they are for.

use crate::parse::policy;
use crate::snapshot::{Attachment, Fact, Programs, Why};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// Below securityfs: one directory for each profile of this namespace of policies.
const PROFILES: &str = "apparmor/policy/profiles";

/// What the kernel writes where an attachment is compiled and its text was not kept, which is what every attachment of
/// Debian 12 is.
const COMPILED: &[u8] = b"<unknown>";

/// Those that are for programs, and hold them to something; those that are for none are entered on purpose.
pub(super) fn look(securityfs: &Path) -> Fact<Vec<Attachment>> {
    let profiles = securityfs.join(PROFILES);
    if !profiles.exists() && securityfs.join("lsm").exists() {
        return Fact::Unreadable(Why::NoModule);
    }
    // A profile may be loaded anew meanwhile.
    match all(&profiles).or_else(|_| all(&profiles)) {
        Ok(attachments) => Fact::Value(attachments),
        Err(why) => Fact::Unreadable(why),
    }
}

fn all(profiles: &Path) -> Result<Vec<Attachment>, Why> {
    let mut attachments = Vec::new();
    // Many profiles may have been loaded at once.
    let mut policies = BTreeMap::new();
    for entry in std::fs::read_dir(profiles).map_err(|error| why(&error))? {
        let dir = entry.map_err(|error| why(&error))?.path();
        match one(&dir, &mut policies) {
            Ok(attachment) => attachments.extend(attachment),
            // It was unloaded meanwhile.
            Err(_) if !dir.exists() => {}
            Err(why) => return Err(why),
        }
    }
    Ok(attachments)
}

fn one(dir: &Path, policies: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<Option<Attachment>, Why> {
    let profile = line(dir, "name")?;
    let attach = line(dir, "attach")?;
    if line(dir, "mode")? == b"unconfined" {
        return Ok(None);
    }
    let programs = if attach == COMPILED {
        compiled(dir, &profile, policies)?
    } else if attach.starts_with(b"/") {
        Programs::Glob(attach)
    } else {
        return Ok(None);
    };
    Ok(Some(Attachment { profile, programs }))
}

/// By what the kernel itself goes by.
fn compiled(dir: &Path, profile: &[u8], policies: &mut BTreeMap<PathBuf, Vec<u8>>) -> Result<Programs, Why> {
    let link = dir.join("raw_data");
    // A kernel that does not keep the policy has no such link.
    let target = std::fs::read_link(&link).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Why::Untold,
        _ => why(&error),
    })?;
    if !policies.contains_key(&target) {
        let bytes = std::fs::read(&link).map_err(|error| why(&error))?;
        policies.insert(target.clone(), bytes);
    }
    let attachments = policy::attachments(&policies[&target]).ok_or(Why::Malformed)?;
    let mut of_profile = attachments.into_iter().filter(|(name, _)| *name == profile);
    let (_, automaton) = of_profile.next().ok_or(Why::Untold)?;
    Ok(Programs::Automaton(automaton))
}

fn line(dir: &Path, file: &str) -> Result<Vec<u8>, Why> {
    let mut text = std::fs::read(dir.join(file)).map_err(|error| why(&error))?;
    if text.ends_with(b"\n") {
        text.pop();
    }
    Ok(text)
}

fn why(error: &Error) -> Why {
    match error.kind() {
        ErrorKind::PermissionDenied => Why::Denied,
        _ => Why::Errno(error.raw_os_error().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    const POLICY: &[u8] = include_bytes!("../../tests/fixtures/apparmor.policy");

    /// A directory of profiles as the kernel shows them: name, attachment, mode.
    fn profiles(all: &[(&str, &str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (number, (name, attach, mode)) in all.iter().enumerate() {
            let profile = dir.path().join(PROFILES).join(number.to_string());
            std::fs::create_dir_all(&profile).unwrap();
            for (file, text) in [("name", name), ("attach", attach), ("mode", mode)] {
                std::fs::write(profile.join(file), format!("{text}\n")).unwrap();
            }
            symlink("../../../../raw", profile.join("raw_data")).unwrap();
        }
        dir
    }

    fn names(fact: &Fact<Vec<Attachment>>) -> Vec<String> {
        let names = fact.value().unwrap().iter();
        let mut names: Vec<String> = names
            .map(|one| String::from_utf8_lossy(&one.profile).into())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn an_attachment_whose_text_was_not_kept_is_taken_from_the_policy() {
        let dir = profiles(&[
            ("plain", "<unknown>", "enforce"),
            ("/{usr/,}{s,}bin/web4", "<unknown>", "complain"),
            ("/usr/bin/web3", "/usr/bin/web3", "enforce"),
            ("two words", "two words", "enforce"),
        ]);
        std::fs::write(dir.path().join("raw"), POLICY).unwrap();
        let fact = look(dir.path());
        assert_eq!(names(&fact), ["/usr/bin/web3", "/{usr/,}{s,}bin/web4", "plain"]);
    }

    #[test]
    fn a_profile_that_holds_nothing_is_none() {
        let dir = profiles(&[("free", "/usr/bin/free", "unconfined")]);
        assert_eq!(look(dir.path()), Fact::Value(Vec::new()));
    }

    #[test]
    fn an_attachment_that_is_not_told_is_not_taken_for_none() {
        let dir = profiles(&[("plain", "<unknown>", "enforce")]);
        let raw = dir.path().join("raw");
        assert_eq!(look(dir.path()), Fact::Unreadable(Why::Errno(2)));
        std::fs::write(&raw, b"another form").unwrap();
        assert_eq!(look(dir.path()), Fact::Unreadable(Why::Malformed));
        std::fs::write(&raw, b"").unwrap();
        assert_eq!(look(dir.path()), Fact::Unreadable(Why::Untold));
        std::fs::remove_file(dir.path().join(PROFILES).join("0/raw_data")).unwrap();
        assert_eq!(look(dir.path()), Fact::Unreadable(Why::Untold));
    }

    #[test]
    fn securityfs_that_is_not_mounted_is_not_taken_for_no_profiles() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(look(dir.path()), Fact::Unreadable(Why::Errno(2)));
        std::fs::write(dir.path().join("lsm"), "landlock,selinux").unwrap();
        assert_eq!(look(dir.path()), Fact::Unreadable(Why::NoModule));
    }
}
