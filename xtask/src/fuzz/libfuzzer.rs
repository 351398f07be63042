//! What libFuzzer prints and how it ends, as far as it is reported. <https://llvm.org/docs/LibFuzzer.html>, read
//! 2026-11-23; the lines are made by `FuzzerLoop.cpp` and the exit codes stand in `FuzzerOptions.h`.

/// The numbers of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Inputs that were tried.
    pub(super) runs: u64,
    /// Edges of the control flow that were reached.
    pub(super) edges: u64,
    /// Edges and how often they were passed, compared values included.
    pub(super) features: u64,
    /// Inputs that were kept, each of which reaches something that no smaller one does.
    pub(super) corpus: u64,
}

impl Told {
    /// Reads lines such as `#76247  DONE   cov: 7513 ft: 17274 corp: 642/558Kb lim: 2794 …`; the last one counts.
    pub(super) fn read(text: &str) -> Self {
        let mut told = Self::default();
        for line in text.lines().filter(|line| line.starts_with('#') && line.contains(" corp: ")) {
            let mut words = line.split_whitespace();
            let number = |text: &str| text.parse().ok();
            if let Some(runs) = words.next().and_then(|word| number(word.trim_start_matches('#'))) {
                told.runs = runs;
            }
            let words: Vec<&str> = words.collect();
            for pair in words.windows(2) {
                let value = pair[1].split('/').next().and_then(number);
                match (pair[0], value) {
                    ("cov:", Some(value)) => told.edges = value,
                    ("ft:", Some(value)) => told.features = value,
                    ("corp:", Some(value)) => told.corpus = value,
                    _ => {}
                }
            }
        }
        told
    }
}

/// Why a run ended before its time; `None` where the exit code says nothing of an input.
pub(super) fn finding(code: Option<i32>) -> Option<&'static str> {
    match code {
        Some(77) => Some("panicked"),
        Some(70) => Some("took too long"),
        Some(71) => Some("took too much memory"),
        Some(76) => Some("left memory behind"),
        _ => None,
    }
}

/// What a panic said, shortened.
pub(super) fn message(text: &str, chars_max: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.iter().position(|line| line.contains("panicked at")).unwrap_or(lines.len());
    let lines = lines[from..].iter().take_while(|line| {
        !line.starts_with("stack backtrace") && !line.starts_with("note:") && !line.starts_with("==")
    });
    let message = lines.copied().collect::<Vec<_>>().join("\n");
    message.chars().take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_tells_what_was_reached() {
        let text = "INFO: seed corpus: files: 65\n\
                    #67\tINITED cov: 6682 ft: 12644 corp: 65/59Kb exec/s: 0 rss: 35Mb\n\
                    #9000\tNEW    cov: 7000 ft: 13000 corp: 70/60Kb lim: 99 exec/s: 1 rss: 35Mb L: 7/9 MS: 1 A-\n\
                    #76247\tDONE   cov: 7513 ft: 17274 corp: 642/558Kb lim: 2794 exec/s: 15249 rss: 40Mb\n\
                    Done 76247 runs in 5 second(s)\n";
        let told = Told { runs: 76247, edges: 7513, features: 17274, corpus: 642 };
        assert_eq!(Told::read(text), told);
        assert_eq!(Told::read("Killed"), Told::default());
    }

    #[test]
    fn only_codes_about_an_input_are_findings() {
        assert_eq!(finding(Some(77)), Some("panicked"));
        assert_eq!(finding(Some(70)), Some("took too long"));
        assert_eq!([finding(Some(0)), finding(Some(1)), finding(None)], [None; 3]);
    }

    #[test]
    fn a_panics_message_ends_before_its_backtrace() {
        let text = "#5 NEW\nthread 'x' panicked at a.rs:1:2:\nleft: 1\nstack backtrace:\n 0: a";
        assert_eq!(message(text, 500), "thread 'x' panicked at a.rs:1:2:\nleft: 1");
        assert_eq!(message(text, 6), "thread");
        assert_eq!(message("no panic", 6), "");
    }
}
