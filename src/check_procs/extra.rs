//! `--extra-opts[=[section][@file]]`: options from a section of an ini file, before those of the command line.

/// The section that is read where none is named.
const SECTION: &[u8] = b"check_procs";

/// Where the file is looked for, after `$MP_CONFIG_FILE` and the directories of `$NAGIOS_CONFIG_PATH`.
pub const FILES: [&str; 10] = [
    "/usr/local/etc/monitoring-plugins/monitoring-plugins.ini",
    "/usr/local/etc/monitoring-plugins.ini",
    "/etc/monitoring-plugins/monitoring-plugins.ini",
    "/etc/nagios/plugins.ini",
    "/usr/local/nagios/etc/plugins.ini",
    "/usr/local/etc/nagios/plugins.ini",
    "/etc/opt/nagios/plugins.ini",
    "/etc/nagios-plugins.ini",
    "/usr/local/etc/nagios-plugins.ini",
    "/etc/opt/nagios-plugins.ini",
];

/// How the file is called in a directory of `$NAGIOS_CONFIG_PATH`.
pub const NAMES: [&str; 3] = ["monitoring-plugins.ini", "plugins.ini", "nagios-plugins.ini"];

/// A section of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locator<'a> {
    /// Its name.
    pub section: &'a [u8],
    /// The file; none for the first of those that there may be.
    pub file: Option<&'a [u8]>,
}

fn locator(text: &[u8]) -> Locator<'_> {
    let (section, file) = match text.iter().position(|b| *b == b'@') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &b""[..]),
    };
    Locator {
        section: if section.is_empty() { SECTION } else { section },
        file: Some(file).filter(|file| !file.is_empty()),
    }
}

/// The sections that a command line names, and its other words.
#[must_use]
pub fn split(words: &[Vec<u8>]) -> (Vec<Locator<'_>>, Vec<Vec<u8>>) {
    let mut locators = Vec::new();
    let mut rest = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let named = match word.strip_prefix(b"--extra-opts") {
            Some([]) => {
                let value = words.next_if(|next| !next.starts_with(b"-"));
                value.map_or(&b""[..], Vec::as_slice)
            }
            Some([b'=', value @ ..]) => value,
            _ => {
                rest.push(word.clone());
                continue;
            }
        };
        locators.push(locator(named));
    }
    (locators, rest)
}

/// The words of these sections. `read` gives the bytes of a file.
///
/// # Errors
/// A sentence: what is wrong with a file.
pub fn words(
    locators: &[Locator<'_>],
    read: impl Fn(&Locator<'_>) -> Result<Vec<u8>, String>,
) -> Result<Vec<Vec<u8>>, String> {
    let mut words = Vec::new();
    for locator in locators {
        words.extend(section(&read(locator)?, locator.section)?);
    }
    Ok(words)
}

/// The options of all sections of this name, as words.
fn section(text: &[u8], name: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut words = Vec::new();
    let (mut within, mut seen) = (false, false);
    for line in text.split(|b| *b == b'\n') {
        match line.trim_ascii() {
            [] | [b'#' | b';', ..] => {}
            [b'[', rest @ ..] => {
                let end = rest.iter().position(|b| *b == b']').ok_or("Config file error")?;
                within = rest[..end].trim_ascii() == name;
                seen |= within;
            }
            line if within => words.push(word(line)?),
            _ => {}
        }
    }
    if seen {
        Ok(words)
    } else {
        let name = String::from_utf8_lossy(name);
        Err(format!("Invalid section '{name}' in config file"))
    }
}

/// `C = sshd` is `-Csshd`, `command = sshd` is `--command=sshd`, `k =` is `-k`.
fn word(line: &[u8]) -> Result<Vec<u8>, String> {
    let at = line.iter().position(|b| *b == b'=').filter(|at| *at > 0);
    let at = at.ok_or("Config file error")?;
    let (name, value) = (line[..at].trim_ascii(), line[at + 1..].trim_ascii());
    let dashes: &[u8] = if name.len() == 1 { b"-" } else { b"--" };
    let equals: &[u8] = if name.len() == 1 || value.is_empty() {
        b""
    } else {
        b"="
    };
    Ok([dashes, name, equals, value].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INI: &[u8] =
        b"# a comment\nstray = 1\n[check_procs]\n w = 5:10 \nC=sshd\n; another\n[web]\nuser = www-data\n\
        argument-array = a b # c\nk=\n[bad]\nno-value\n[web]\ncritical=7\n";

    fn told(line: &str) -> Result<String, String> {
        let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        let read = |locator: &Locator<'_>| match locator.file {
            None | Some(b"/x") => Ok(INI.to_vec()),
            _ => Err("Can't read config file: gone".into()),
        };
        let (locators, rest) = split(&words);
        let words = [super::words(&locators, read)?, rest].concat();
        Ok(words
            .iter()
            .map(|word| String::from_utf8_lossy(word))
            .collect::<Vec<_>>()
            .join("|"))
    }

    #[test]
    fn options_of_a_section_come_before_those_of_the_command_line() {
        let own = told("-v --extra-opts -c 3");
        assert_eq!(own.as_deref(), Ok("-w5:10|-Csshd|-v|-c|3"));
        let web = Ok("--user=www-data|--argument-array=a b # c|-k|--critical=7|-v".to_owned());
        assert_eq!(told("-v --extra-opts=web@/x"), web);
        assert_eq!(told("-v --extra-opts web"), web);
        assert_eq!(told("--extra-opts=@/x").as_deref(), Ok("-w5:10|-Csshd"));
        assert_eq!(told("-C --extra").as_deref(), Ok("-C|--extra"));
    }

    #[test]
    fn what_is_no_option_and_no_section_is_a_fault() {
        assert_eq!(told("--extra-opts=bad"), Err("Config file error".into()));
        assert_eq!(
            told("--extra-opts=none"),
            Err("Invalid section 'none' in config file".into())
        );
        assert_eq!(
            told("--extra-opts=@/y"),
            Err("Can't read config file: gone".into())
        );
    }
}
