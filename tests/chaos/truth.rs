//! What must be in the store: every message that a rig made, once, with the values it was made with, or on record as lost.

use anyhow::{Context, Result, bail, ensure};
use end_to_end::{Journal, Made, encode_message, labels, message_of, picture};
use label_core::wire::{MAX_EVIDENCE_BYTES, Origin, Topic, parse_name};
use label_core::{BootId, Seq};
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::collections::BTreeMap;
use std::path::Path;

/// A run of a rig that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    pub(crate) journal: Journal,
    /// It closed its clip; else it was killed, perhaps between a message and its entry in the journal.
    pub(crate) finished: bool,
}

/// What was made and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Labels made: candidates and abstentions.
    pub(crate) made: u64,
    /// Labels committed, each with the values it was made with.
    pub(crate) committed: u64,
    /// Labels that the rig declared lost.
    pub(crate) declared: u64,
    /// Labels that the outbox refused, counted by the rig.
    pub(crate) refused: u64,
    /// Messages committed.
    pub(crate) messages: u64,
    /// Numbers that the rig declared lost.
    pub(crate) numbers_lost: u64,
    /// Runs.
    pub(crate) boots: u64,
}

impl Counted {
    /// In words.
    pub(crate) fn told(&self) -> String {
        let lost = match (self.declared, self.numbers_lost) {
            (0, 0) => String::new(),
            (labels, numbers) => {
                format!(", {labels} declared lost by the rig ({numbers} numbers)")
            }
        };
        let refused = match self.refused {
            0 => String::new(),
            labels => format!(", {labels} refused by the disk and counted"),
        };
        format!(
            "{} messages of {} runs, {} labels made, {} committed{lost}{refused}; none doubled, values equal",
            self.messages, self.boots, self.made, self.committed
        )
    }
}

struct Message {
    topic: String,
    sha256: Vec<u8>,
}

/// Whether the loss of what was sent may be declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Everything made must be there.
    None,
    /// A declared loss is legal.
    Declared,
}

/// Holds the store to what the rig's runs made.
pub(crate) async fn compare(database: &Path, ran: &[Ran], loss: Loss) -> Result<Counted> {
    let mut connection = SqliteConnectOptions::new()
        .filename(database)
        .read_only(true)
        .connect()
        .await
        .with_context(|| format!("cannot open {}", database.display()))?;
    let in_quarantine: i64 = sqlx::query("SELECT count(*) FROM quarantine")
        .fetch_one(&mut connection)
        .await?
        .get(0);
    ensure!(
        in_quarantine == 0,
        "{in_quarantine} messages lie in quarantine"
    );
    let mut stored = messages(&mut connection).await?;
    let lost = lost(&mut connection).await?;
    let mut counted = Counted::default();
    let mut batches = Vec::new();
    let mut pictures = Vec::new();
    for run in ran {
        let boot = run.journal.boot;
        let here = stored.remove(&boot).unwrap_or_default();
        let gone = lost.get(&boot).map_or(&[][..], Vec::as_slice);
        let last = here.keys().next_back().copied().unwrap_or(0);
        let most = run.journal.last + u64::from(!run.finished);
        // Notices of what was lost are numbered too, and no journal knows of them.
        let notices = here.values().filter(|one| one.topic == "evicted").count() as u64;
        ensure!(
            last <= most + notices,
            "boot {boot}: message {last} is here, but the rig made {most} and {notices} notices"
        );
        counted.boots += 1;
        counted.refused += run.journal.lost.offered + run.journal.lost.abstained;
        counted.made += run.journal.lost.offered + run.journal.lost.abstained;
        for seq in 1..=last.max(run.journal.last) {
            let Some(message) = here.get(&seq) else {
                ensure!(
                    gone.iter().any(|(from, to)| (*from..=*to).contains(&seq)),
                    "boot {boot}: message {seq} of {last} is missing, and nobody said so"
                );
                ensure!(
                    loss == Loss::Declared,
                    "boot {boot}: message {seq} was declared lost"
                );
                counted.numbers_lost += 1;
                if message_of(seq) == Made::Labels {
                    counted.made += 3;
                    counted.declared += 3;
                }
                continue;
            };
            counted.messages += 1;
            let topic = match message.topic.as_str() {
                "label" => Topic::Label,
                "evidence" => Topic::Evidence,
                _ => continue,
            };
            let is_equal = expected(boot, topic, seq)? == message.sha256;
            ensure!(is_equal, "boot {boot}: message {seq} is not what was made");
            if topic == Topic::Label {
                counted.made += 3;
                batches.push((boot, seq));
            } else {
                pictures.push((boot, seq));
            }
        }
    }
    if let Some((boot, here)) = stored.iter().find(|(_, here)| {
        let made = here.values().filter(|one| one.topic != "evicted");
        made.count() > 1
    }) {
        bail!(
            "{} messages of boot {boot}, which no journal knows",
            here.len()
        );
    }
    counted.committed = values(&mut connection, &batches).await?;
    evidence(&mut connection, &pictures).await?;
    for run in ran.iter().filter(|run| run.finished) {
        balance(&mut connection, run, loss).await?;
    }
    connection.close().await?;
    ensure!(
        counted.made == counted.committed + counted.declared + counted.refused,
        "the counts differ: {counted:?}"
    );
    Ok(counted)
}

async fn messages(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<u64, BTreeMap<Seq, Message>>> {
    let mut stored: BTreeMap<u64, BTreeMap<Seq, Message>> = BTreeMap::new();
    for row in sqlx::query("SELECT boot, seq, topic, sha256 FROM messages")
        .fetch_all(connection)
        .await?
    {
        let (boot, seq): (i64, i64) = (row.get(0), row.get(1));
        stored.entry(boot as u64).or_default().insert(
            seq as u64,
            Message {
                topic: row.get(2),
                sha256: row.get(3),
            },
        );
    }
    Ok(stored)
}

/// Ranges that the rig declared lost, by boot.
async fn lost(connection: &mut SqliteConnection) -> Result<BTreeMap<u64, Vec<(Seq, Seq)>>> {
    let mut lost: BTreeMap<u64, Vec<(Seq, Seq)>> = BTreeMap::new();
    for row in sqlx::query("SELECT boot, first_seq, last_seq FROM evictions")
        .fetch_all(connection)
        .await?
    {
        let (boot, first, last): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        let ranges = lost.entry(boot as u64).or_default();
        ranges.push((first as u64, last as u64));
    }
    Ok(lost)
}

/// The digest of what the rule has for this number.
fn expected(boot: u64, topic: Topic, seq: Seq) -> Result<Vec<u8>> {
    let from = Origin {
        rig: parse_name("fixture")?,
        boot: BootId::from_raw(boot).context("a boot number")?,
        seq,
    };
    let mut buffer = vec![0; MAX_EVIDENCE_BYTES];
    let length = encode_message(topic, &from, &mut buffer)?;
    Ok(Sha256::digest(&buffer[..length]).to_vec())
}

/// Every label of these batches is there once, as it was made, and no other is; how many there are.
async fn values(connection: &mut SqliteConnection, batches: &[(u64, Seq)]) -> Result<u64> {
    let rows = sqlx::query(
        "SELECT boot, seq, n, kind, start_frame, end_frame, decision, reason, confidence, value FROM labels
         ORDER BY boot, seq, n",
    )
    .fetch_all(connection)
    .await?;
    let mut found = rows.iter();
    let mut batches = batches.to_vec();
    batches.sort_unstable();
    for (boot, seq) in batches {
        for label in labels(seq) {
            let row = found
                .next()
                .with_context(|| format!("boot {boot}, message {seq}: a label is missing"))?;
            let number = |column| row.get::<i64, _>(column) as u64;
            let place = (number("boot"), number("seq"), number("n"));
            ensure!(
                place == (boot, seq, u64::from(label.n)),
                "label {place:?} where {:?} should be",
                (boot, seq, label.n)
            );
            let value = label
                .value
                .as_ref()
                .map(serde_json::to_string)
                .transpose()?;
            let is_equal = row.get::<&str, _>("kind") == label.kind.name()
                && number("start_frame") == u64::from(label.frames.start)
                && number("end_frame") == u64::from(label.frames.end)
                && row.get::<&str, _>("decision")
                    == serde_json::to_string(&label.decision)?.trim_matches('"')
                && row.get::<Option<&str>, _>("reason")
                    == label.reason.map(label_core::AbstainReason::name)
                && row.get::<Option<f64>, _>("confidence")
                    == label.confidence.map(|one| f64::from(one.get()))
                && row.get::<Option<String>, _>("value") == value;
            ensure!(is_equal, "label {place:?} is not as it was made");
        }
    }
    if let Some(row) = found.next() {
        let (boot, seq): (i64, i64) = (row.get(0), row.get(1));
        bail!("boot {boot}, message {seq}: a label too many");
    }
    Ok(rows.len() as u64)
}

async fn evidence(connection: &mut SqliteConnection, pictures: &[(u64, Seq)]) -> Result<()> {
    let rows: i64 = sqlx::query("SELECT count(*) FROM evidence")
        .fetch_one(&mut *connection)
        .await?
        .get(0);
    ensure!(
        rows as usize == pictures.len(),
        "{rows} of {} pictures",
        pictures.len()
    );
    for (boot, seq) in pictures {
        let jpeg: Vec<u8> = sqlx::query("SELECT jpeg FROM evidence WHERE boot = $1 AND seq = $2")
            .bind(*boot as i64)
            .bind(*seq as i64)
            .fetch_one(&mut *connection)
            .await
            .with_context(|| format!("boot {boot}: picture {seq}"))?
            .get(0);
        ensure!(
            jpeg == picture(*seq),
            "boot {boot}: picture {seq} is another"
        );
    }
    Ok(())
}

/// The rig's own count at the end of its clip against what is here and what was refused.
async fn balance(connection: &mut SqliteConnection, run: &Ran, loss: Loss) -> Result<()> {
    let boot = run.journal.boot;
    let row = sqlx::query(
        "SELECT offered, abstained, evidence,
            (SELECT count(*) FROM labels l WHERE l.boot = c.boot AND decision = 'candidate') AS here,
            (SELECT count(*) FROM labels l WHERE l.boot = c.boot AND decision = 'abstain') AS silent,
            (SELECT count(*) FROM evidence e WHERE e.boot = c.boot) AS pictures
         FROM clips c WHERE boot = $1",
    )
    .bind(boot as i64)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else {
        // Legal where every number of the run was declared lost, which was looked at before.
        ensure!(loss == Loss::Declared, "boot {boot} has no clip");
        return Ok(());
    };
    let said: [Option<i64>; 3] = [row.get(0), row.get(1), row.get(2)];
    let here: [i64; 3] = [row.get(3), row.get(4), row.get(5)];
    let refused = run.journal.lost;
    let refused = [refused.offered, refused.abstained, refused.evidence];
    for ((said, here), refused) in said.into_iter().zip(here).zip(refused) {
        let Some(said) = said else {
            ensure!(
                loss == Loss::Declared,
                "boot {boot}: the clip's end is missing"
            );
            continue;
        };
        let difference = said - here;
        let is_right = match loss {
            Loss::None => difference == refused as i64,
            Loss::Declared => difference >= refused as i64,
        };
        ensure!(
            is_right,
            "boot {boot}: the rig says it made {said}, {here} are here and {refused} were refused"
        );
    }
    Ok(())
}
