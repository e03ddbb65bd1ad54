//! What people ask rigs for, and what arrives.
//!
//! A request is *asked* until its rig answers, *arriving* while parts of it are here, then *here*, or *refused* with the reason. Parts are
//! committed one by one, so that a host that begins anew asks for the rest only. What is whole is compared with the digest that
//! the rig told first; what differs is thrown away and asked for once more from the beginning.

mod arrival;

use crate::database::{AssertSqlSafe, Connection, Row, query};
use crate::row::name_column;
use crate::{ClipId, LabelStore, StoreError};
use arrival::run;
use label_core::BootId;
use label_core::CaptureTime;
use label_core::id::Name;
use serde::{Deserialize, Serialize};

/// Requests of one rig that may be open at a time.
const OPEN_OF_A_RIG: i64 = 16;
/// What was asked for is kept for thirty days …
const KEPT_US: i64 = 30 * 24 * 3600 * 1_000_000;
/// … and no more than this of it, the oldest going first.
const KEPT_BYTES: i64 = 4 << 30;
/// A rig that answers nothing for a week is not asked any more.
const ASKED_US: i64 = 7 * 24 * 3600 * 1_000_000;

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    /// The rig has not answered.
    Asked,
    /// Some of it is here.
    Arriving,
    /// All of it is here.
    Here,
    /// The rig does not give it, or it cannot be used.
    Refused,
}

impl RequestState {
    fn read(text: &str) -> Result<Self, StoreError> {
        serde_json::from_value(serde_json::Value::from(text))
            .map_err(|_| StoreError::unreadable("requests.state", text))
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A picture now.
    Picture,
    /// Recorded frames, first and last.
    Frames(ClipId, (u32, u32)),
}

/// A request and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRequest {
    /// Its number.
    pub request: i64,
    /// The rig's site.
    pub site: String,
    /// The rig.
    pub rig: Name,
    /// What is asked for.
    pub wanted: Wanted,
    /// The label that was looked at.
    pub label: Option<String>,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_us: i64,
    /// How it stands.
    pub state: RequestState,
    /// Why not, as the rig said it.
    pub reason: Option<String>,
    /// Bytes that are here.
    pub have: u64,
    /// Bytes of all of it, once the rig told.
    pub bytes: Option<u64>,
    /// Frames and times of the pictures, once all are here.
    pub pictures: Vec<(u32, i64)>,
}

/// A rig that can be asked now, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRequest {
    /// The request.
    pub request: StoredRequest,
    /// The run that the rig is in.
    pub boot: BootId,
}

const COLUMNS: &str = "request, site, rig, boot, clip, first_frame, last_frame, label, asked_by, asked_us, state, reason,
    bytes, sha256, have, pictures";

fn listing(row: &Row) -> Result<Vec<(u32, CaptureTime, u32)>, StoreError> {
    let text: Option<String> = row.get("pictures");
    text.map_or(Ok(Vec::new()), |text| {
        serde_json::from_str(&text).map_err(|_| StoreError::unreadable("requests.pictures", &text))
    })
}

fn from_row(row: &Row) -> Result<StoredRequest, StoreError> {
    let number = |column| row.get::<Option<i64>, _>(column);
    let rig = name_column(row, "rig")?;
    let state = RequestState::read(row.get("state"))?;
    let wanted = match (number("first_frame"), number("last_frame"), number("boot")) {
        (Some(first), Some(last), Some(boot)) => {
            let clip = ClipId {
                rig: rig.clone(),
                boot: BootId::from_raw(boot as u64)
                    .ok_or_else(|| StoreError::unreadable("requests.boot", "0"))?,
                clip: number("clip").unwrap_or_default() as u32,
            };
            Wanted::Frames(clip, (first as u32, last as u32))
        }
        _ => Wanted::Picture,
    };
    let pictures = match state {
        RequestState::Here => listing(row)?,
        _ => Vec::new(),
    };
    Ok(StoredRequest {
        request: row.get("request"),
        site: row.get("site"),
        rig,
        wanted,
        label: row.get("label"),
        asked_by: row.get("asked_by"),
        asked_us: row.get("asked_us"),
        state,
        reason: row
            .get::<Option<String>, _>("reason")
            .filter(|_| state == RequestState::Refused),
        have: row.get::<i64, _>("have") as u64,
        bytes: number("bytes").map(|bytes| bytes as u64),
        pictures: pictures
            .into_iter()
            .map(|(frame, at, _)| (frame, at.us()))
            .collect(),
    })
}

async fn one(tx: &mut Connection, request: i64) -> Result<Option<Row>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM requests WHERE request = $1");
    query(AssertSqlSafe(sql))
        .bind(request)
        .fetch_optional(tx)
        .await
        .map_err(StoreError::database("read a request"))
}

impl LabelStore {
    /// Asks a rig for something; the same again while it is open is the same request. A source of imported labels is no rig.
    pub async fn ask(
        &self,
        rig: &Name,
        wanted: &Wanted,
        label: Option<&str>,
        who: &str,
        now_us: i64,
    ) -> Result<StoredRequest, StoreError> {
        let doing = "ask a rig";
        let mut tx = self.begin_write(doing).await?;
        forget(&mut tx, now_us).await?;
        let site = query(
            "SELECT site FROM rigs r WHERE rig = $1
               AND NOT EXISTS (SELECT 1 FROM imported_clips i WHERE i.source = r.rig
                   AND NOT EXISTS (SELECT 1 FROM rig_states s WHERE s.rig = i.source))",
        )
        .bind(rig.as_str())
        .fetch_optional(&mut tx)
        .await
        .map_err(StoreError::database(doing))?
        .ok_or_else(|| StoreError::NoSuchRig(rig.clone()))?
        .get::<String, _>(0);
        let (clip, frames) = match wanted {
            Wanted::Picture => (None, None),
            Wanted::Frames(clip, frames) => (Some(clip), Some(*frames)),
        };
        if let Wanted::Frames(clip, frames) = wanted
            && crate::purge::is_purged(&mut tx, clip, *frames).await?
        {
            return Err(StoreError::Purged(clip.clone()));
        }
        let boot = clip.map(|clip| clip.boot.raw() as i64);
        let number = clip.map(|clip| i64::from(clip.clip));
        let first = frames.map(|(first, _)| i64::from(first));
        let last = frames.map(|(_, last)| i64::from(last));
        let open = query(
            "SELECT request, coalesce(first_frame, -1) = coalesce($2, -1) AND coalesce(last_frame, -1) = coalesce($3, -1)
                AND coalesce(boot, -1) = coalesce($4, -1) AND coalesce(clip, -1) = coalesce($5, -1) AS same
             FROM requests WHERE rig = $1 AND state IN ('asked', 'arriving')",
        )
        .bind(rig.as_str())
        .bind(first)
        .bind(last)
        .bind(boot)
        .bind(number)
        .fetch_all(&mut tx)
        .await
        .map_err(StoreError::database(doing))?;
        let same = open.iter().find(|row| row.get("same"));
        let request = if let Some(row) = same {
            row.get("request")
        } else {
            if open.len() as i64 >= OPEN_OF_A_RIG {
                return Err(StoreError::AskedEnough(rig.clone()));
            }
            let about = match wanted {
                Wanted::Picture => format!("a picture of {rig}"),
                Wanted::Frames(clip, (first, last)) => {
                    format!("frames {first} to {last} of {}", crate::clip_id_text(clip))
                }
            };
            crate::people::audit_line(&mut tx, now_us, who, "asked for", &about).await?;
            query(
                "INSERT INTO requests (site, rig, boot, clip, first_frame, last_frame, label, asked_by, asked_us, state)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'asked') RETURNING request",
            )
            .bind(&site)
            .bind(rig.as_str())
            .bind(boot)
            .bind(number)
            .bind(first)
            .bind(last)
            .bind(label)
            .bind(who)
            .bind(now_us)
            .fetch_one(&mut tx)
            .await
            .map_err(StoreError::database(doing))?
            .get(0)
        };
        let stored = match one(&mut tx, request).await? {
            Some(row) => from_row(&row)?,
            None => return Err(StoreError::NoSuchRequest(request)),
        };
        tx.commit().await.map_err(StoreError::database(doing))?;
        Ok(stored)
    }

    /// Removes what was asked for and is too old or too much, and gives up on rigs that do not answer.
    pub async fn forget_requests(&self, now_us: i64) -> Result<(), StoreError> {
        let doing = "forget requests";
        let mut tx = self.begin_write(doing).await?;
        forget(&mut tx, now_us).await?;
        tx.commit().await.map_err(StoreError::database(doing))
    }

    /// What open requests ask of rigs that are there, the oldest of each rig.
    pub async fn open_requests(&self) -> Result<Vec<OpenRequest>, StoreError> {
        let mut connection = self.read("read open requests").await?;
        let sql = format!(
            "SELECT {COLUMNS}, (SELECT s.json FROM rig_states s WHERE s.rig = requests.rig AND s.topic = 'status') AS status
             FROM requests WHERE state IN ('asked', 'arriving') AND request IN
                (SELECT min(request) FROM requests WHERE state IN ('asked', 'arriving') GROUP BY rig)"
        );
        let rows = query(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database("read open requests"))?;
        let mut open = Vec::new();
        for row in &rows {
            let status = row
                .get::<Option<String>, _>("status")
                .and_then(|json| serde_json::from_str::<label_core::wire::Status>(&json).ok());
            if let Some(status) =
                status.filter(|status| status.state == label_core::wire::Power::Online)
            {
                open.push(OpenRequest {
                    request: from_row(row)?,
                    boot: status.boot,
                });
            }
        }
        Ok(open)
    }

    /// One request; `None` where there is none of this number, or no more.
    pub async fn request(&self, request: i64) -> Result<Option<StoredRequest>, StoreError> {
        let mut connection = self.read("read a request").await?;
        one(&mut connection, request)
            .await?
            .as_ref()
            .map(from_row)
            .transpose()
    }

    /// Requests for a label, or for pictures of a rig, the latest first.
    pub async fn requests(
        &self,
        label: Option<&str>,
        rig: Option<&Name>,
    ) -> Result<Vec<StoredRequest>, StoreError> {
        let mut connection = self.read("read requests").await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM requests WHERE ($1 IS NULL OR label = $1) AND ($2 IS NULL OR (rig = $2 AND first_frame IS NULL))
             ORDER BY request DESC LIMIT 20"
        );
        query(AssertSqlSafe(sql))
            .bind(label)
            .bind(rig.map(Name::as_str))
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database("read requests"))?
            .iter()
            .map(from_row)
            .collect()
    }

    /// The picture of a frame that was asked for and is here.
    pub async fn requested_picture(
        &self,
        request: i64,
        frame: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let mut connection = self.read("read a requested picture").await?;
        Ok(
            query("SELECT jpeg FROM request_pictures WHERE request = $1 AND frame = $2")
                .bind(request)
                .bind(i64::from(frame))
                .fetch_optional(&mut connection)
                .await
                .map_err(StoreError::database("read a requested picture"))?
                .map(|row| row.get("jpeg")),
        )
    }
}

/// Deletes a request and what arrived of it.
pub(crate) async fn remove(tx: &mut Connection, request: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM request_parts WHERE request = $1",
        "DELETE FROM request_pictures WHERE request = $1",
        "DELETE FROM requests WHERE request = $1",
    ] {
        run(tx, sql, request).await?;
    }
    Ok(())
}

/// Removes what is too old or too much, and gives up on rigs that do not answer.
async fn forget(tx: &mut Connection, now_us: i64) -> Result<(), StoreError> {
    let doing = "forget requests";
    query(
        "UPDATE requests SET state = 'refused', reason = 'no-answer', ended_us = $2
         WHERE state IN ('asked', 'arriving') AND asked_us < $1",
    )
    .bind(now_us - ASKED_US)
    .bind(now_us)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::database(doing))?;
    let ended = query(
        "SELECT request, ended_us, have FROM requests WHERE state IN ('here', 'refused') ORDER BY request DESC",
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(StoreError::database(doing))?;
    let mut held = 0;
    for row in &ended {
        held += row.get::<i64, _>("have");
        if held > KEPT_BYTES || row.get::<i64, _>("ended_us") < now_us - KEPT_US {
            remove(tx, row.get("request")).await?;
        }
    }
    Ok(())
}
