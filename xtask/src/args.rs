//! Command-line options of the tasks: `--name value` and `--name`, and nothing cleverer.

use anyhow::{Result, bail};
use std::str::FromStr;

/// Options not taken yet; what is left at the end is an error.
pub(crate) struct Args {
    left: Vec<String>,
}

impl Args {
    pub(crate) fn new(arguments: &[String]) -> Args {
        Args { left: arguments.to_vec() }
    }

    /// Whether `--name` is there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let Some(index) = self.left.iter().position(|argument| argument == name) else { return false };
        self.left.remove(index);
        true
    }

    /// The value after `--name`, if it is there.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>> {
        let Some(index) = self.left.iter().position(|argument| argument == name) else { return Ok(None) };
        if index + 1 >= self.left.len() {
            bail!("{name} needs a value");
        }
        self.left.remove(index);
        Ok(Some(self.left.remove(index)))
    }

    /// The parsed value after `--name`, or `default`.
    pub(crate) fn value<T: FromStr>(&mut self, name: &str, default: T) -> Result<T> {
        match self.text(name)? {
            None => Ok(default),
            Some(text) => text.parse().or_else(|_| bail!("{name}: cannot read {text:?}")),
        }
    }

    /// A list separated by commas; empty if the option is not there.
    pub(crate) fn list(&mut self, name: &str) -> Result<Vec<String>> {
        let text = self.text(name)?.unwrap_or_default();
        Ok(text.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }

    /// Refuses whatever was not taken.
    pub(crate) fn finish(self) -> Result<()> {
        match self.left.first() {
            None => Ok(()),
            Some(argument) => bail!("unknown option {argument:?}; `cargo xtask` lists the options"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Args {
        Args::new(&text.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_taken_in_any_order() {
        let mut args = args("--rounds 3 --quick --only plain,stream");
        assert_eq!(args.list("--only").unwrap(), ["plain", "stream"]);
        assert!(args.flag("--quick") && !args.flag("--gate"));
        assert_eq!(args.value("--rounds", 5).unwrap(), 3);
        assert_eq!(args.value("--secs", 2.0).unwrap(), 2.0);
        args.finish().unwrap();
    }

    #[test]
    fn unknown_and_unfinished_options_are_refused() {
        assert!(args("--what").finish().is_err());
        assert!(args("--secs").text("--secs").is_err());
        assert!(args("--rounds many").value("--rounds", 1).is_err());
    }
}
