//! `pilothouse models refresh`: newer facts over the catalogue, shown before they count, and asked about.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use pilothouse_catalog::{Catalog, day};
use pilothouse_core::clock::UnixMs;
use pilothouse_feeds::{Format, laid as laid_feed, read as read_feed};
use pilothouse_gateway::config::Source;
use pilothouse_gateway::listing;
use pilothouse_migrate::refresh::difference::{Change, agreed, changes};
use pilothouse_migrate::refresh::release::{RELEASE_MAX, Release};
use pilothouse_migrate::refresh::trust::{Root, bundled_roots};
use pilothouse_migrate::refresh::{Book, Header, book_of, laid, refreshed};

/// Where the refreshed file lies when neither the configuration nor the command says it.
const USUAL_PLACE: &str = ".pilothouse/catalogue.jsonl";
/// Most changes that are listed.
const SHOWN_MAX: usize = 200;

/// Lays newer facts over the catalogue.
#[derive(Debug, clap::Args)]
pub(super) struct Refresh {
    /// A file, or a URL by https: a signed release, or a public feed.
    #[arg(value_name = "FILE|URL")]
    source: String,
    /// The public feed that it is: litellm, models.dev, genai-prices, deprecations.info, bydtech or depdesk. Feeds are not
    /// signed, so they are never taken for a release by themselves.
    #[arg(long, value_name = "FEED")]
    from: Option<String>,
    /// The day of which a feed speaks; today where not given.
    #[arg(long, value_name = "DAY", requires = "from")]
    as_of: Option<String>,
    /// The file that gets the facts; `catalog.refreshed` where not given, else .pilothouse/catalogue.jsonl.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The configuration; `pilothouse.toml` where it is there.
    #[arg(long, short, value_name = "FILE", env = "PILOTHOUSE_CONFIG")]
    config: Option<PathBuf>,
    /// Show what would change and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Agree to the changes without a question, except to those that need a word each.
    #[arg(long)]
    yes: bool,
    /// Agree to the doubtful changes of one model (repeatable), as platform/id; `all` for every one.
    #[arg(long, value_name = "MODEL")]
    confirm: Vec<String>,
}

/// What is known before: rows, the refreshed file, whose signatures count.
struct Known {
    output: PathBuf,
    is_named: bool,
    rows: Book,
    newest: String,
    header: Option<Header>,
    roots: Vec<Root>,
    variables: Vec<(String, String)>,
}

/// What would be known after.
struct Proposal {
    rows: Book,
    listed: BTreeSet<(String, String)>,
    header: Header,
}

impl Refresh {
    pub(super) fn run(self, out: &mut dyn Write, now: UnixMs) -> Result<ExitCode> {
        let known = self.known()?;
        let text = self.text(&known)?;
        let proposal = match &self.from {
            Some(feed) => self.of_feed(feed, &text, &known, now)?,
            None => of_release(&text, &self.source, &known)?,
        };
        let found = changes(&known.rows, &proposal.rows, Some(&proposal.listed));
        write_changes(out, &found, &proposal.header)?;
        if self.dry_run {
            return Ok(ExitCode::SUCCESS);
        }
        let mut input = std::io::stdin().lock();
        let is_asking = std::io::stdin().is_terminal() && !self.yes;
        let Some(refused) = self.agreement(&found, is_asking, &mut input, out)? else {
            writeln!(out, "nothing is written")?;
            return Ok(ExitCode::SUCCESS);
        };
        let rows = agreed(&known.rows, proposal.rows, &refused);
        write_file(&known.output, &refreshed(&proposal.header, &rows)?)?;
        writeln!(
            out,
            "{} holds the catalogue's facts as of {}",
            known.output.display(),
            proposal.header.as_of
        )?;
        if !refused.is_empty() {
            writeln!(out, "{} models stay as they were", refused.len())?;
        }
        if !known.is_named {
            writeln!(
                out,
                "the gateway reads it when pilothouse.toml says so:\n[catalog]\nrefreshed = {:?}",
                known.output.display().to_string()
            )?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn known(&self) -> Result<Known> {
        let usual = PathBuf::from("pilothouse.toml");
        let config = self.config.clone().or_else(|| usual.exists().then_some(usual));
        let source = config.map(|path| Source::read(&path)).transpose()?;
        let section = source.as_ref().map(|source| (&source.file.catalog, source.folder()));
        let named = section
            .as_ref()
            .and_then(|(section, folder)| section.refreshed.as_ref().map(|path| folder.join(path.get_ref())));
        let is_named = named.is_some() || self.output.is_some();
        let output = self.output.clone().or(named).unwrap_or_else(|| PathBuf::from(USUAL_PLACE));
        let before = match std::fs::read_to_string(&output) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| output.display().to_string()),
        };
        let header = before.as_deref().and_then(Header::of);
        let catalog = match &before {
            Some(text) => Catalog::bundled().with_file(text, &output.display().to_string())?,
            None => Catalog::bundled(),
        };
        let rows = book_of(&catalog);
        let bundled_newest = Catalog::bundled().rows().map(|row| row.as_of).max().unwrap_or_default();
        let newest = header.as_ref().map_or_else(|| bundled_newest.clone(), |header| header.as_of.clone());
        let given: Vec<String> = section
            .iter()
            .flat_map(|(section, _)| &section.roots)
            .map(|root| root.get_ref().clone())
            .collect();
        let roots = trusted(&given, header.as_ref())?;
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let newest = newest.max(bundled_newest);
        Ok(Known { output, is_named, rows, newest, header, roots, variables: variables.collect() })
    }

    fn text(&self, known: &Known) -> Result<String> {
        let bytes = if self.source.starts_with("http://") || self.source.starts_with("https://") {
            listing::fetch(&self.source, &known.variables, RELEASE_MAX).map_err(|why| anyhow!(why))?
        } else {
            std::fs::read(&self.source)
                .with_context(|| format!("{}: cannot be read; name a file or a URL by https", self.source))?
        };
        String::from_utf8(bytes).map_err(|_| anyhow!("{}: this is no text", self.source))
    }

    fn of_feed(&self, feed: &str, text: &str, known: &Known, now: UnixMs) -> Result<Proposal> {
        let names = || Format::ALL.map(Format::as_str).join(", ");
        let format = Format::parse(feed)
            .with_context(|| format!("--from {feed}: no such feed; one of {}", names()))?;
        if let Some(looks) = Format::of(text).filter(|looks| *looks != format) {
            bail!(
                "{}: this looks like {}, not like {feed}; say --from {}",
                self.source,
                looks.as_str(),
                looks.as_str()
            );
        }
        let today = day::of(now);
        let as_of = self.as_of.clone().unwrap_or_else(|| today.clone());
        ensure!(day::start_of(&as_of).is_some(), "--as-of {as_of}: no day; write it as 2026-12-01");
        ensure!(as_of <= today, "--as-of {as_of}: a feed cannot speak of a day to come; today is {today}");
        let said = read_feed(format, text, &known.rows, &as_of, &today)
            .with_context(|| format!("{}: this is not {feed}'s form", self.source))?;
        ensure!(!said.is_empty(), "{}: it holds no model of a platform that is known here", self.source);
        let header = Header {
            catalogue: 1,
            as_of: as_of.clone().max(known.newest.clone()),
            from: format!("{feed} as of {as_of}"),
            roots: known.header.as_ref().map(|header| header.roots.clone()).unwrap_or_default(),
        };
        // A feed of one kind of facts leaves most models out: what it does not list is no news.
        let rows = laid_feed(&known.rows, said, format);
        let listed = rows.keys().cloned().collect();
        Ok(Proposal { rows, listed, header })
    }

    /// Asks where there is somebody to ask. The models whose changes do not count, or `None` where nothing does.
    fn agreement(
        &self,
        found: &[Change],
        is_asking: bool,
        input: &mut dyn BufRead,
        out: &mut dyn Write,
    ) -> Result<Option<BTreeSet<(String, String)>>> {
        let is_confirmed = |change: &Change| {
            let name = format!("{}/{}", change.platform, change.id);
            self.confirm.iter().any(|one| one == "all" || *one == name)
        };
        let doubtful: Vec<&Change> =
            found.iter().filter(|change| change.what.doubt().is_some() && !is_confirmed(change)).collect();
        let mut refused = BTreeSet::new();
        if is_asking {
            for change in doubtful {
                let why = change.what.doubt().unwrap_or_default();
                let question =
                    format!("{}/{}: {} ({why}). Take it?", change.platform, change.id, change.what);
                if !ask(&question, input, out)? {
                    refused.insert((change.platform.clone(), change.id.clone()));
                }
            }
            let question = format!("{} changes. Take them?", found.len());
            return Ok(ask(&question, input, out)?.then_some(refused));
        }
        if let Some(first) = doubtful.first() {
            bail!(
                "{} a word each, and nothing is written: {}/{}: {} ({}). Agree with --confirm {}/{} (or `--confirm all`) once you have looked at the vendor's page",
                if doubtful.len() == 1 {
                    "1 change needs".to_owned()
                } else {
                    format!("{} changes need", doubtful.len())
                },
                first.platform,
                first.id,
                first.what,
                first.what.doubt().unwrap_or_default(),
                first.platform,
                first.id
            );
        }
        ensure!(
            self.yes || !self.confirm.is_empty(),
            "nobody can be asked here: look at the changes and run it again with --yes"
        );
        Ok(Some(refused))
    }
}

/// Whose signatures count: those that the configuration names, else those that the last release named, else the bundled.
fn trusted(given: &[String], header: Option<&Header>) -> Result<Vec<Root>> {
    let named = header.map(|header| header.roots.clone()).unwrap_or_default();
    let texts = if given.is_empty() { named } else { given.to_vec() };
    if texts.is_empty() {
        return bundled_roots().map_err(|why| anyhow!(why));
    }
    let roots: Result<Vec<Root>, String> = texts.iter().map(|text| Root::parse(text)).collect();
    roots.map_err(|why| anyhow!("`roots` of [catalog]: {why}"))
}

fn of_release(text: &str, source: &str, known: &Known) -> Result<Proposal> {
    if !Release::is_one(text)
        && let Some(format) = Format::of(text)
    {
        bail!(
            "{source}: this is no signed release; it looks like the feed {0}, which is read with --from {0}",
            format.as_str()
        );
    }
    let release =
        Release::read(text, &known.roots, &known.newest).map_err(|error| anyhow!("{source}: {error}"))?;
    let roots = if release.roots.is_empty() {
        known.header.as_ref().map(|header| header.roots.clone()).unwrap_or_default()
    } else {
        release.roots.iter().map(Root::to_string).collect()
    };
    let from = format!("a release of {} signed by {}", release.as_of, release.signed_by);
    let header = Header { catalogue: 1, as_of: release.as_of, from, roots };
    let listed = release.rows.keys().cloned().collect();
    Ok(Proposal { rows: laid(&known.rows, release.rows), listed, header })
}

fn write_changes(out: &mut dyn Write, found: &[Change], header: &Header) -> Result<()> {
    writeln!(out, "{}:", header.from)?;
    let (doubtful, rest): (Vec<&Change>, Vec<&Change>) =
        found.iter().partition(|change| change.what.doubt().is_some());
    for (mark, change) in doubtful
        .iter()
        .map(|change| ("!", change))
        .chain(rest.iter().map(|change| ("·", change)))
        .take(SHOWN_MAX)
    {
        write!(out, "  {mark} {}/{}  {}", change.platform, change.id, change.what)?;
        match change.what.doubt() {
            Some(why) => writeln!(out, "  ({why})")?,
            None => writeln!(out)?,
        }
    }
    if found.len() > SHOWN_MAX {
        writeln!(out, "  and {} more", found.len() - SHOWN_MAX)?;
    }
    writeln!(out, "{} changes, {} of them need a word each", found.len(), doubtful.len())?;
    Ok(())
}

fn ask(question: &str, input: &mut dyn BufRead, out: &mut dyn Write) -> Result<bool> {
    write!(out, "{question} [y/N] ")?;
    out.flush()?;
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Writes beside and renames: a gateway that reads the file sees the old or the new one.
fn write_file(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    std::fs::write(&beside, text).with_context(|| format!("{}: cannot be written", beside.display()))?;
    std::fs::rename(&beside, path).with_context(|| format!("{}: cannot be written", path.display()))
}

#[cfg(test)]
mod tests;
