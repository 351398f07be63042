//! A ledger that a configuration had and that is gone: noticed, and asked about, because money is in it.
//!
//! Three things say that a ledger was expected: a note beside the configuration file, written whenever a server has
//! opened its ledger; traces of an earlier server in the data folder; and `must_exist` of `[store]`, for machines
//! where neither outlives the process. The first start of a configuration finds none of them and just begins.

use std::io::{self, BufRead, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, bail};
use pilothouse_store::Trace;
use serde::{Deserialize, Serialize};

/// Longest note that is read; ours have two paths and a sentence.
const NOTE_BYTES_MAX: u64 = 64 * 1024;

/// What is known of the ledger that a configuration should have.
pub(super) struct Expected {
    /// The configuration file, from the root.
    config: PathBuf,
    /// The data folder, from the root.
    data: PathBuf,
    must_exist: bool,
}

/// What stands beside the configuration file.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    about: String,
    config: PathBuf,
    data: PathBuf,
}

impl Expected {
    /// The expectation of a configuration that records into `data`.
    ///
    /// # Errors
    /// When the folders have no full path, because the current folder is gone.
    pub(super) fn of(config: &Path, data: &Path, must_exist: bool) -> anyhow::Result<Self> {
        let here = env::current_dir().context("the current folder cannot be found: change to another one")?;
        let config = here.join(config);
        // The folder by its one true name, whichever way it was reached; the file itself may be a link that moves.
        let folder = config.parent().unwrap_or(Path::new("/"));
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let config = folder.join(config.file_name().unwrap_or_default());
        let data = fs::canonicalize(data).unwrap_or_else(|_| here.join(data));
        Ok(Self { config, data, must_exist })
    }

    /// Goes on where the ledger is there or none was expected, or where a new one is wanted. Asks at a terminal.
    ///
    /// # Errors
    /// What is missing, why it was expected, and what to do; refusals of the output.
    pub(super) fn settle(&self, is_new_wanted: bool, out: &mut dyn Write) -> anyhow::Result<()> {
        let is_answerable = io::stdin().is_terminal() && io::stderr().is_terminal();
        let ask = |question: &str| {
            if is_answerable {
                asked(question, &mut io::stdin().lock(), &mut io::stderr())
            } else {
                Ok(false)
            }
        };
        self.settle_with(is_new_wanted, ask, out)
    }

    fn settle_with(
        &self,
        is_new_wanted: bool,
        ask: impl FnOnce(&str) -> io::Result<bool>,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let trace = Trace::of(&self.data);
        if trace == Trace::Present {
            return Ok(());
        }
        if let (Some(why), false) = (self.why_expected(trace), is_new_wanted) {
            let missing = format!("the ledger of {} is missing: {why}", self.config.display());
            if !ask(&missing)? {
                bail!(
                    "{missing}. Is a volume not mounted, or was this meant for another folder? Put it back, give \
                     its folder with `--data DIR`, or begin a new one with `pilothouse serve --new-ledger`"
                );
            }
        }
        writeln!(out, "  note   no ledger in {} yet: a new one begins there", self.data.display())?;
        Ok(())
    }

    /// Why a ledger should be in the data folder, which has none.
    fn why_expected(&self, trace: Trace) -> Option<String> {
        let data = self.data.display();
        if let Some(note) = self.note() {
            return Some(if note.data == self.data {
                format!("it was in {data} when this configuration was last used")
            } else {
                format!(
                    "there is none in {data}, and it was in {} when this configuration was last used",
                    note.data.display()
                )
            });
        }
        match trace {
            Trace::Lost => Some(format!("a server has recorded into {data} before, and its ledger is gone")),
            _ if self.must_exist => {
                Some(format!("there is none in {data}, and `must_exist` of [store] says that there is"))
            }
            _ => None,
        }
    }

    /// Writes beside the configuration file that its ledger is there now. Where that folder cannot be written, says
    /// what does instead.
    ///
    /// # Errors
    /// Refusals of the output.
    pub(super) fn remember(&self, out: &mut dyn Write) -> io::Result<()> {
        let note = Note {
            about:
                "Where the ledger of this configuration is. If it is gone, `pilothouse serve` asks before it \
                    begins a new one."
                    .to_owned(),
            config: self.config.clone(),
            data: fs::canonicalize(&self.data).unwrap_or_else(|_| self.data.clone()),
        };
        if self.note().as_ref() == Some(&note) {
            return Ok(());
        }
        let path = self.note_path();
        let fresh = path.with_extension("ledger.new");
        let written = serde_json::to_vec_pretty(&note)
            .map_err(io::Error::from)
            .and_then(|text| fs::write(&fresh, text))
            .and_then(|()| fs::rename(&fresh, &path));
        match written {
            Err(error) if !self.must_exist => writeln!(
                out,
                "  note   cannot write {} ({error}): a ledger that goes missing may not be noticed; set \
                 `must_exist = true` under [store]",
                path.display()
            ),
            _ => Ok(()),
        }
    }

    /// The note of this configuration. One that tells of another file came with a copy and says nothing here.
    fn note(&self) -> Option<Note> {
        let path = self.note_path();
        if fs::metadata(&path).ok()?.len() > NOTE_BYTES_MAX {
            return None;
        }
        let note: Note = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        (note.config == self.config).then_some(note)
    }

    /// `.pilothouse.toml.ledger` beside `pilothouse.toml`.
    fn note_path(&self) -> PathBuf {
        let name = self.config.file_name().unwrap_or_default().to_string_lossy();
        self.config.with_file_name(format!(".{name}.ledger"))
    }
}

/// Asks whether a new ledger should begin; anything but yes is no.
fn asked(missing: &str, answers: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<bool> {
    write!(out, "pilothouse: {missing}.\nBegin a new one? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    io::Read::take(answers, 100).read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a configuration that has recorded into `data` beside it.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            let place = Self(tempfile::tempdir().unwrap());
            fs::write(place.config(), "").unwrap();
            place
        }

        fn config(&self) -> PathBuf {
            self.0.path().join("pilothouse.toml")
        }

        fn expected(&self, data: &str, must_exist: bool) -> Expected {
            Expected::of(&self.config(), &self.0.path().join(data), must_exist).unwrap()
        }

        /// What a server leaves behind.
        fn record(&self, data: &str) {
            let options = pilothouse_store::Options::default();
            pilothouse_store::Ledger::open(&self.0.path().join(data), options).unwrap().close().unwrap();
            self.expected(data, false).remember(&mut Vec::new()).unwrap();
        }

        /// The question that a start with this data folder leads to.
        fn question(&self, data: &str, must_exist: bool) -> Option<String> {
            let mut question = None;
            let ask = |text: &str| {
                question = Some(text.to_owned());
                Ok(false)
            };
            let settled = self.expected(data, must_exist).settle_with(false, ask, &mut Vec::new());
            assert_eq!(settled.is_err(), question.is_some(), "a no stops");
            question
        }
    }

    #[test]
    fn the_first_start_of_a_configuration_asks_nothing() {
        assert_eq!(Place::new().question("data", false), None);
    }

    #[test]
    fn a_ledger_that_is_there_is_used_without_a_question() {
        let place = Place::new();
        place.record("data");
        assert_eq!(place.question("data", true), None);
    }

    #[test]
    fn a_folder_that_has_gone_is_asked_about_by_its_name() {
        let place = Place::new();
        place.record("data");
        fs::remove_dir_all(place.0.path().join("data")).unwrap();
        let question = place.question("data", false).unwrap();
        assert!(
            question.contains("pilothouse.toml is missing: it was in ") && question.contains("/data when")
        );
        fs::create_dir(place.0.path().join("data")).unwrap();
        assert!(place.question("data", false).is_some(), "a volume that is not mounted is an empty folder");
    }

    #[test]
    fn another_folder_than_last_time_is_asked_about_with_both_names() {
        let place = Place::new();
        place.record("data");
        let question = place.question("elsewhere", false).unwrap();
        assert!(
            question.contains("/elsewhere, and it was in ") && question.contains("/data when"),
            "{question}"
        );
    }

    #[test]
    fn traces_in_the_folder_tell_of_a_lost_ledger_even_without_the_note() {
        let place = Place::new();
        place.record("data");
        fs::remove_file(place.0.path().join(".pilothouse.toml.ledger")).unwrap();
        fs::remove_file(place.0.path().join("data").join(pilothouse_store::LEDGER_FILE)).unwrap();
        let question = place.question("data", false).unwrap();
        assert!(question.contains("a server has recorded into"), "{question}");
    }

    #[test]
    fn a_configuration_that_says_so_expects_a_ledger_from_its_first_start_on() {
        let question = Place::new().question("data", true).unwrap();
        assert!(question.contains("`must_exist` of [store]"), "{question}");
    }

    #[test]
    fn a_note_that_came_with_a_copy_of_the_folder_says_nothing() {
        let (first, second) = (Place::new(), Place::new());
        first.record("data");
        let name = ".pilothouse.toml.ledger";
        fs::copy(first.0.path().join(name), second.0.path().join(name)).unwrap();
        assert_eq!(second.question("data", false), None);
    }

    #[test]
    fn a_yes_or_the_flag_begins_a_new_ledger_and_says_so() {
        for is_new_wanted in [false, true] {
            let mut out = Vec::new();
            let expected = Place::new().expected("data", true);
            expected.settle_with(is_new_wanted, |_| Ok(!is_new_wanted), &mut out).unwrap();
            assert!(String::from_utf8(out).unwrap().contains("a new one begins there"));
        }
    }

    #[test]
    fn a_note_that_cannot_be_written_is_told_with_what_to_do() {
        let place = Place::new();
        // A folder stands where the note would: that refuses root too.
        fs::create_dir_all(place.0.path().join(".pilothouse.toml.ledger/x")).unwrap();
        let mut out = Vec::new();
        place.expected("data", false).remember(&mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("set `must_exist = true` under [store]"));
        let mut out = Vec::new();
        place.expected("data", true).remember(&mut out).unwrap();
        assert!(out.is_empty(), "it is set");
    }

    #[test]
    fn only_a_yes_counts_as_a_yes() {
        for (answer, is_yes) in [("y\n", true), (" Yes \n", true), ("\n", false), ("", false), ("n\n", false)]
        {
            let mut out = Vec::new();
            assert_eq!(
                asked("it is missing", &mut answer.as_bytes(), &mut out).unwrap(),
                is_yes,
                "{answer:?}"
            );
            assert_eq!(
                String::from_utf8(out).unwrap(),
                "pilothouse: it is missing.\nBegin a new one? [y/N] "
            );
        }
    }
}
