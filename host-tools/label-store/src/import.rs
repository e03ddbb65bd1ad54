//! Labels that a person brings from elsewhere, under the name of a source, which stands where a rig's would: all of one import or
//! nothing, and the same clip again changes nothing.

use crate::commit::{CommitReport, store_one};
use crate::database::{Connection, Row, query};
use crate::make::{NewLabel, make_in};
use crate::row::{boot_column, name_column};
use crate::write::model_number;
use crate::{Asked, ClipId, Content, Incoming, LabelStore, StoreError, watermark};
use ::quality::DeskKind;
use label_core::id::Name;
use std::collections::{BTreeMap, BTreeSet};

/// A clip whose labels were brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedClip {
    /// Where they stand at the desk: the source in the place of the rig.
    pub id: ClipId,
    /// What the files call it.
    pub told: String,
    /// The rig's clip that shows the same, where the desk has it.
    pub of: Option<ClipId>,
    /// They are what is true; otherwise what somebody's model offers.
    pub is_truth: bool,
    /// Digest of the labels as they were read.
    pub sha256: String,
    /// The file or folder they came from.
    pub file: String,
}

/// What is taken of a clip.
#[derive(Clone, Debug)]
pub struct NewImport {
    /// The clip.
    pub clip: ImportedClip,
    /// Messages as a rig would send them.
    pub messages: Vec<Incoming>,
    /// Labels as a person makes them.
    pub made: Vec<NewLabel>,
}

const DOING: &str = "import labels";

impl LabelStore {
    /// Every clip that was imported, of this source or of all.
    pub async fn imported_clips(
        &self,
        source: Option<&Name>,
    ) -> Result<Vec<ImportedClip>, StoreError> {
        let mut connection = self.read("read what was imported").await?;
        query(
            "SELECT * FROM imported_clips WHERE ($1 IS NULL OR source = $1) ORDER BY source, told",
        )
        .bind(source.map(Name::as_str))
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read what was imported"))?
        .iter()
        .map(|row| {
            let of_rig: Option<String> = row.get("of_rig");
            Ok(ImportedClip {
                id: ClipId {
                    rig: name_column(row, "source")?,
                    boot: boot_column(row, "boot")?,
                    clip: row.get::<i64, _>("clip") as u32,
                },
                told: row.get("told"),
                of: match of_rig {
                    Some(_) => Some(ClipId {
                        rig: name_column(row, "of_rig")?,
                        boot: boot_column(row, "of_boot")?,
                        clip: row.get::<i64, _>("of_clip") as u32,
                    }),
                    None => None,
                },
                is_truth: row.get::<i64, _>("truth") == 1,
                sha256: row.get("sha256"),
                file: row.get("file"),
            })
        })
        .collect()
    }

    /// Raw scores of a source's candidates that were judged, with whether they were accepted unchanged, and a number for the clip.
    pub async fn judged_scores(
        &self,
        source: &Name,
        kind: DeskKind,
    ) -> Result<Vec<(u64, f64, bool)>, StoreError> {
        let mut connection = self.read("read judged scores").await?;
        let rows = query(
            "SELECT boot, raw, state FROM labels
             WHERE rig = $1 AND kind = $2 AND decision = 'candidate' AND raw IS NOT NULL
               AND state IN ('accepted', 'corrected', 'rejected')",
        )
        .bind(source.as_str())
        .bind(kind.name())
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database("read judged scores"))?;
        let row = |row: &Row| {
            let state: &str = row.get("state");
            (
                row.get::<i64, _>("boot") as u64,
                row.get("raw"),
                state == "accepted",
            )
        };
        Ok(rows.iter().map(row).collect())
    }

    /// Imports clips under this name, which no rig may have: all of them, on disk when this returns, or none.
    ///
    /// On Postgres nobody waits for candidates, however many they are, but whoever sends or imports under the same name. Labels that
    /// people make are numbered through the whole store: while those are imported nobody else writes, as on SQLite.
    pub async fn import(
        &self,
        source: &Name,
        clips: &[NewImport],
        by: &Asked,
    ) -> Result<(), StoreError> {
        let are_made = clips.iter().any(|new| !new.made.is_empty());
        let mut tx = if self.is_shared() && !are_made {
            // By themselves and before: whoever adds a model keeps others from adding theirs until the end.
            self.note_models(clips).await?;
            self.begin_import(DOING, source.as_str()).await?
        } else {
            self.begin_write(DOING).await?
        };
        no_rig(&mut tx, source).await?;
        for new in clips {
            take(&mut tx, new, by)
                .await
                .map_err(|source| StoreError::ImportedClip {
                    told: new.clip.told.clone(),
                    source: Box::new(source),
                })?;
        }
        tx.commit().await.map_err(StoreError::database(DOING))
    }

    /// Models that no label names yet do no harm where the import fails.
    async fn note_models(&self, clips: &[NewImport]) -> Result<(), StoreError> {
        let mut tx = self.begin_intake(DOING, None).await?;
        let messages = clips.iter().flat_map(|new| &new.messages);
        let models = messages.flat_map(|message| match &message.content {
            Content::Labels { batch, .. } => batch.models.as_slice(),
            _ => &[],
        });
        let mut noted = Vec::new();
        for model in models {
            if !noted.contains(&model) {
                model_number(&mut tx, model).await?;
                noted.push(model);
            }
        }
        tx.commit().await.map_err(StoreError::database(DOING))
    }

    /// Whether an import under this name could begin, without keeping others from writing: an error tells why not.
    pub async fn can_import(&self, source: &Name) -> Result<(), StoreError> {
        no_rig(&mut *self.read(DOING).await?, source).await
    }
}

async fn no_rig(connection: &mut Connection, source: &Name) -> Result<(), StoreError> {
    let is_rig = query(
        "SELECT 1 FROM rigs r WHERE r.rig = $1
           AND NOT EXISTS (SELECT 1 FROM imported_clips i WHERE i.source = r.rig
                   AND NOT EXISTS (SELECT 1 FROM rig_states s WHERE s.rig = i.source))",
    )
    .bind(source.as_str())
    .fetch_optional(connection)
    .await
    .map_err(StoreError::database(DOING))?
    .is_some();
    if is_rig {
        return Err(StoreError::SourceIsRig(source.clone()));
    }
    Ok(())
}

async fn take(tx: &mut Connection, new: &NewImport, by: &Asked) -> Result<(), StoreError> {
    let clip = &new.clip;
    let mut report = CommitReport::default();
    let (mut touched, mut sites) = (BTreeSet::new(), BTreeMap::new());
    for message in &new.messages {
        if let Content::Refused(refusal) = &message.content {
            return Err(StoreError::Import(refusal.detail.clone()));
        }
        store_one(tx, message, &mut report, &mut touched, &mut sites).await?;
    }
    for made in &new.made {
        make_in(tx, &clip.id, made, by).await?;
    }
    for (rig, boot) in &touched {
        watermark::advance(tx, rig, boot.raw() as i64).await?;
    }
    let of = clip.of.as_ref();
    query(
        "INSERT INTO imported_clips (source, boot, clip, told, of_rig, of_boot, of_clip, truth, sha256, file, taken_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(clip.id.rig.as_str())
    .bind(clip.id.boot.raw() as i64)
    .bind(i64::from(clip.id.clip))
    .bind(&clip.told)
    .bind(of.map(|of| of.rig.as_str()))
    .bind(of.map(|of| of.boot.raw() as i64))
    .bind(of.map(|of| i64::from(of.clip)))
    .bind(i64::from(clip.is_truth))
    .bind(&clip.sha256)
    .bind(&clip.file)
    .bind(by.at_us)
    .execute(tx)
    .await
    .map_err(StoreError::database(DOING))?;
    Ok(())
}
