//! How long quality takes at scale: `cargo run --release -p label-store --example quality_scale -- [CANDIDATES]`.
//!
//! Fills a store with candidates (a million by default) of ten rigs, five kinds and 200 clips, three in ten of them judged; then
//! measures the first count, what a page asks for, and the count after one more verdict.
#![expect(clippy::print_stdout, reason = "what it is for")]

use label_core::wire::parse_name;
use label_core::{BootId, LabelId};
use label_store::{Asked, Dimension, Judgement, LabelStore, NewVerdict, QualityFilter};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use std::time::{Duration, Instant};

const CLIPS: u64 = 200;

/// Rows that follow from their number alone: every run measures the same store.
fn fill(candidates: u64) -> Vec<String> {
    let numbers = |count: u64| {
        format!(
            "WITH RECURSIVE i(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM i WHERE i + 1 < {count}) "
        )
    };
    let messages = candidates.div_ceil(8);
    let (rig, clip) = ("'rig-' || (i / 8 % 10)", format!("i / 8 % {CLIPS}"));
    // 1048577: the first boot of a rig.
    vec![
        numbers(10) + "INSERT INTO rigs SELECT 'rig-' || i, 'bench', 0, 0 FROM i",
        numbers(10) + "INSERT INTO boots SELECT 'rig-' || i, 1048577, 0, 0, 0 FROM i",
        numbers(CLIPS) + "INSERT INTO clips (rig, boot, clip, name, height) SELECT 'rig-' || (i % 10), 1048577, i, 'bench', 480 FROM i",
        numbers(2) + "INSERT INTO models SELECT i + 1, 'bench-model', i + 1, i FROM i",
        numbers(messages) + "INSERT INTO messages SELECT 'rig-' || (i % 10), 1048577, i + 1, 'label', x'00', 900, i FROM i",
        numbers(candidates)
            + &format!("INSERT INTO labels (rig, boot, seq, n, clip, kind, track, start_frame, end_frame, start_pts_us, end_pts_us, decision,
                    confidence, raw, model, value, state, conditions)
                SELECT {rig}, 1048577, i / 8 + 1, i % 8, {clip},
                    CASE i % 8 WHEN 0 THEN 'blink' WHEN 1 THEN 'bbox-person' WHEN 2 THEN 'wearing-glasses'
                        WHEN 3 THEN 'keypoint-left-eye' WHEN 4 THEN 'keypoint-right-eye' WHEN 5 THEN 'in-shadow' ELSE 'blink' END,
                    1, i / 1600 * 90, i / 1600 * 90 + 89, 0, 1, 'candidate', 0.4 + (i * 7919 % 6000) / 10000.0, 0.5, 1 + (i / 1600 % 2),
                    CASE i % 8 WHEN 1 THEN '{{\"boxes\":[[' || (i / 1600 * 90) || ',10,10,200,300,0.9]]}}'
                        WHEN 2 THEN '{{\"flag\":true}}' WHEN 5 THEN '{{\"flag\":false}}'
                        WHEN 3 THEN '{{\"points\":[[0,10,10,0.9]]}}' WHEN 4 THEN '{{\"points\":[[0,10,10,0.9]]}}'
                        ELSE '{{\"event\":{{\"eyes\":\"both\",\"peak\":1,\"opening\":0.1}}}}' END,
                    CASE WHEN i * 31 % 10 < 3 THEN CASE WHEN i * 17 % 100 < 85 THEN 'accepted' ELSE 'rejected' END ELSE 'waiting' END, 9
                FROM i"),
        "INSERT INTO verdicts (rig, boot, seq, n, judgement, cause, reviewer, at_us, spent_ms)
            SELECT rig, boot, seq, n, CASE state WHEN 'accepted' THEN 'accept' ELSE 'reject' END,
                CASE state WHEN 'rejected' THEN 'wrong-place' END, 'bench', 0, 900 + (seq * 13 + n) % 4000
            FROM labels WHERE state <> 'waiting'"
            .to_owned(),
        "UPDATE labels SET standing = v.verdict FROM verdicts v
            WHERE v.rig = labels.rig AND v.boot = labels.boot AND v.seq = labels.seq AND v.n = labels.n"
            .to_owned(),
        format!("INSERT INTO quality_stale SELECT rig, boot, clip, 1 FROM clips WHERE clip < {CLIPS}"),
    ]
}

async fn timed<T>(what: &str, times: u32, mut run: impl AsyncFnMut() -> T) {
    let mut worst = Duration::ZERO;
    let mut total = Duration::ZERO;
    for _ in 0..times {
        let start = Instant::now();
        run().await;
        worst = worst.max(start.elapsed());
        total += start.elapsed();
    }
    println!(
        "{what}: mean {:.3} s, worst of {times} {:.3} s",
        (total / times).as_secs_f64(),
        worst.as_secs_f64()
    );
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let candidates: u64 = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("labels.db");
    let store = LabelStore::open(&path).await?;
    let mut raw = SqliteConnectOptions::new()
        .filename(&path)
        .foreign_keys(false)
        .connect()
        .await?;
    let start = Instant::now();
    for sql in fill(candidates) {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut raw).await?;
    }
    println!(
        "{candidates} candidates in {CLIPS} clips, filled in {:.1} s",
        start.elapsed().as_secs_f64()
    );
    let start = Instant::now();
    while store.refresh_quality(Duration::from_mins(10)).await?.behind > 0 {}
    println!(
        "first count of everything: {:.1} s",
        start.elapsed().as_secs_f64()
    );
    let all = QualityFilter::default();
    let split = QualityFilter {
        by: vec![Dimension::Rig, Dimension::Glasses],
        ..QualityFilter::default()
    };
    println!("{} rows", store.quality(&all).await?.len());
    timed("rows of kinds and models", 20, async || {
        store.quality(&all).await
    })
    .await;
    timed("the same by rig and glasses", 20, async || {
        store.quality(&split).await
    })
    .await;
    timed("coverage and human seconds", 20, async || {
        let coverage = store.coverage(None).await;
        (coverage, store.human_seconds(None).await)
    })
    .await;
    let mut seq = 0;
    timed(
        "a page after one more verdict (clip counted anew, rows, coverage, seconds)",
        20,
        async || {
            seq += 1;
            let label = LabelId {
                rig: parse_name(&format!("rig-{}", (seq - 1) % 10)).ok()?,
                boot: BootId::first(1),
                seq,
                n: 0,
            };
            let verdict = NewVerdict {
                judgement: Judgement::Accept,
                cause: None,
                correction: None,
                spent_ms: 1500,
            };
            let asked = Asked {
                reviewer: "bench".to_owned(),
                at_us: 1,
                key: None,
            };
            store
                .record_verdict(&label.into(), &verdict, &asked)
                .await
                .ok()?;
            store.refresh_quality(Duration::from_secs(5)).await.ok()?;
            store.quality(&all).await.ok()?;
            store.coverage(None).await.ok()?;
            store.human_seconds(None).await.ok()
        },
    )
    .await;
    Ok(())
}
