//! Key pictures: whole frames of a clip, made smaller.

use crate::database::{AssertSqlSafe, Connection, Row, query};
use crate::label::ClipId;
use crate::quarantine::{self, Quarantined};
use crate::row::{boot_column, name_column};
use crate::{LabelStore, NamedMessage, RefusalReason, StoreError};
use label_core::id::Name;
use label_core::wire::{
    ClipMessage, EVIDENCE_MAGIC, KeyPicture, Origin, PictureHeader, Topic, parse_name, topic,
};
use label_core::{BootId, CaptureTime, Seq};
use serde::{Deserialize, Serialize};

/// A picture's identity: the message that brought it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PictureId {
    /// The rig.
    pub rig: Name,
    /// The run of its firmware.
    pub boot: BootId,
    /// The message.
    pub seq: Seq,
}

/// What a picture shows, without the picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPicture {
    /// Its identity.
    pub id: PictureId,
    /// The clip.
    pub clip: ClipId,
    /// Frame, time and sizes.
    pub shows: KeyPicture,
}

/// A picture's identity as one word, safe in an address: `rig:boot:seq`.
pub fn picture_id_text(id: &PictureId) -> String {
    format!("{}:{}:{}", id.rig, id.boot.raw(), id.seq)
}

/// The identity that [`picture_id_text`] wrote.
pub fn parse_picture_id(text: &str) -> Option<PictureId> {
    let mut parts = text.split(':');
    let id = PictureId {
        rig: parse_name(parts.next()?).ok()?,
        boot: BootId::from_raw(parts.next()?.parse().ok()?)?,
        seq: parts.next()?.parse().ok()?,
    };
    // The database counts in signed 64 bits; no rig gets anywhere near.
    (parts.next().is_none() && i64::try_from(id.seq).is_ok()).then_some(id)
}

const NO_FRAME: &str = "picture.frame is no frame of the clip";

const COLUMNS: &str = "rig, boot, seq, clip, frame, pts_us, width, height, of_width, of_height";

fn from_row(row: &Row) -> Result<StoredPicture, StoreError> {
    let (rig, boot) = (name_column(row, "rig")?, boot_column(row, "boot")?);
    let number = |column| row.get::<i64, _>(column);
    Ok(StoredPicture {
        id: PictureId {
            rig: rig.clone(),
            boot,
            seq: number("seq") as u64,
        },
        clip: ClipId {
            rig,
            boot,
            clip: number("clip") as u32,
        },
        shows: KeyPicture {
            frame: number("frame") as u32,
            pts_us: CaptureTime(number("pts_us")),
            size: (number("width") as u16, number("height") as u16),
            of: (number("of_width") as u32, number("of_height") as u32),
        },
    })
}

impl LabelStore {
    /// The pictures of a clip, in the order of its frames; of an imported one those of the rig's clip that it is of.
    pub async fn pictures(&self, clip: &ClipId) -> Result<Vec<StoredPicture>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM pictures
             WHERE (rig = $1 AND boot = $2 AND clip = $3)
                OR (rig, boot, clip) IN (SELECT of_rig, of_boot, of_clip FROM imported_clips
                    WHERE source = $1 AND boot = $2 AND clip = $3)
             ORDER BY frame, seq"
        );
        let mut connection = self.read("read pictures").await?;
        query(AssertSqlSafe(sql))
            .bind(clip.rig.as_str())
            .bind(clip.boot.raw() as i64)
            .bind(i64::from(clip.clip))
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database("read pictures"))?
            .iter()
            .map(from_row)
            .collect()
    }

    /// One picture with its JPEG; `None` where there is none of this identity.
    pub async fn picture(
        &self,
        id: &PictureId,
    ) -> Result<Option<(StoredPicture, Vec<u8>)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, jpeg FROM pictures WHERE rig = $1 AND boot = $2 AND seq = $3"
        );
        let mut connection = self.read("read a picture").await?;
        query(AssertSqlSafe(sql))
            .bind(id.rig.as_str())
            .bind(id.boot.raw() as i64)
            .bind(id.seq as i64)
            .fetch_optional(&mut connection)
            .await
            .map_err(StoreError::database("read a picture"))?
            .map(|row| Ok((from_row(&row)?, row.get("jpeg"))))
            .transpose()
    }
}

/// Why a picture cannot be of its clip, by what is known of the clip so far; `None` where it can.
pub(crate) async fn contradicts_clip(
    tx: &mut Connection,
    header: &PictureHeader,
) -> Result<Option<&'static str>, StoreError> {
    let from = &header.from;
    let Some(clip) =
        query("SELECT width, height, frames FROM clips WHERE rig = $1 AND boot = $2 AND clip = $3")
            .bind(from.rig.as_str())
            .bind(from.boot.raw() as i64)
            .bind(i64::from(header.clip))
            .fetch_optional(tx)
            .await
            .map_err(StoreError::database("look at a picture's clip"))?
    else {
        return Ok(None);
    };
    let known = |column| clip.get::<Option<i64>, _>(column);
    let differs = |column, told: u32| known(column).is_some_and(|known| known != i64::from(told));
    let (width, height) = header.picture.of;
    Ok(if differs("width", width) || differs("height", height) {
        Some("picture.of is not the size of the clip's frames")
    } else if known("frames").is_some_and(|frames| i64::from(header.picture.frame) >= frames) {
        Some(NO_FRAME)
    } else {
        None
    })
}

/// Writes a picture that does not contradict its clip.
pub(crate) async fn store_picture(
    tx: &mut Connection,
    header: &PictureHeader,
    jpeg: &[u8],
) -> Result<(), StoreError> {
    let (from, shows) = (&header.from, &header.picture);
    crate::write::ensure_clip(tx, &from.rig, from.boot, header.clip).await?;
    query(
        "INSERT INTO pictures (rig, boot, seq, clip, frame, pts_us, width, height, of_width, of_height, jpeg)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(from.rig.as_str())
    .bind(from.boot.raw() as i64)
    .bind(from.seq as i64)
    .bind(i64::from(header.clip))
    .bind(i64::from(shows.frame))
    .bind(shows.pts_us.us())
    .bind(i64::from(shows.size.0))
    .bind(i64::from(shows.size.1))
    .bind(i64::from(shows.of.0))
    .bind(i64::from(shows.of.1))
    .bind(jpeg)
    .execute(tx)
    .await
    .map_err(StoreError::database("store a picture"))?;
    Ok(())
}

/// A clip was closed: pictures of frames that it does not have go to the quarantine, as they would have if they had come
/// later.
pub(crate) async fn set_aside_beyond(
    tx: &mut Connection,
    site: &Name,
    message: &ClipMessage,
    frames: u32,
    at_us: i64,
) -> Result<u64, StoreError> {
    let from = &message.from;
    let sql = format!(
        "DELETE FROM pictures WHERE rig = $1 AND boot = $2 AND clip = $3 AND frame >= $4 RETURNING {COLUMNS}, jpeg"
    );
    let beyond = query(AssertSqlSafe(sql))
        .bind(from.rig.as_str())
        .bind(from.boot.raw() as i64)
        .bind(i64::from(message.clip))
        .bind(i64::from(frames))
        .fetch_all(&mut *tx)
        .await
        .map_err(StoreError::database(
            "look for pictures beyond a clip's end",
        ))?;
    for row in &beyond {
        let picture = from_row(row)?;
        let header = PictureHeader {
            v: message.v,
            from: Origin {
                seq: picture.id.seq,
                ..from.clone()
            },
            clip: message.clip,
            picture: picture.shows,
        };
        let json = serde_json::to_vec(&header).expect("numbers and checked text always encode");
        let mut payload = EVIDENCE_MAGIC.to_vec();
        payload.extend((json.len() as u32).to_le_bytes());
        payload.extend(&json);
        payload.extend(row.get::<&[u8], _>("jpeg"));
        quarantine::insert(
            tx,
            &Quarantined {
                topic: &topic(site, &from.rig, Topic::Evidence),
                reason: RefusalReason::OutOfRange,
                detail: NO_FRAME,
                named: Some(&NamedMessage {
                    site: site.clone(),
                    rig: from.rig.clone(),
                    boot: from.boot,
                    seq: picture.id.seq,
                    topic: Topic::Evidence,
                }),
                payload: &payload,
                at_us,
            },
        )
        .await?;
    }
    Ok(beyond.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_id_survives_an_address() {
        let id = PictureId {
            rig: parse_name("rig-07").unwrap(),
            boot: BootId::first(3),
            seq: 17,
        };
        assert_eq!(picture_id_text(&id), "rig-07:3145729:17");
        assert_eq!(parse_picture_id(&picture_id_text(&id)), Some(id));
        for bad in [
            "",
            "rig:1",
            "rig:1:2:3",
            "a/b:1:2",
            "rig:0:2",
            "rig:1:-2",
            "rig:1:9223372036854775808",
        ] {
            assert_eq!(parse_picture_id(bad), None, "{bad}");
        }
    }
}
