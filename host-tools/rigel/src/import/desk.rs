//! What the desk knows of the clips that files speak of.

use crate::export::clip;
use anyhow::Result;
use formats::Clip;
use label_store::{ClipId, LabelStore, QueueFilter, Snapshot, clip_id_text};
use std::collections::HashMap;
use std::path::Path;
use tokio::sync::Mutex;

/// The clips of rigs, by what files may call them.
pub(crate) struct Desk {
    by_name: HashMap<String, Option<ClipId>>,
    snapshot: Mutex<Snapshot>,
}

impl Desk {
    pub(crate) async fn of(store: &LabelStore) -> Result<Self> {
        let imported = store.imported_clips(None).await?;
        let mut snapshot = store.snapshot().await?;
        let mut by_name: HashMap<String, Option<ClipId>> = HashMap::new();
        for (id, _) in snapshot.clips(&QueueFilter::default()).await? {
            if imported.iter().any(|one| one.id == id) {
                continue;
            }
            let stem = format!("{}_{}_{}", id.rig, id.boot.raw(), id.clip);
            let mut names = vec![clip_id_text(&id), stem];
            if let Some(media) = snapshot.clip_name(&id).await? {
                let stem = Path::new(&media).file_stem();
                names.extend(stem.map(|stem| stem.to_string_lossy().into_owned()));
                names.push(media);
            }
            names.sort();
            names.dedup();
            for name in names {
                // A name that several clips have names none.
                by_name
                    .entry(name)
                    .and_modify(|known| *known = None)
                    .or_insert_with(|| Some(id.clone()));
            }
        }
        Ok(Self {
            by_name,
            snapshot: Mutex::new(snapshot),
        })
    }

    /// The rig's clip of this name.
    pub(crate) fn rig_clip(&self, name: &str) -> Option<ClipId> {
        self.by_name.get(name).cloned().flatten()
    }

    /// The same with its frames, without labels; none whose size no rig has told.
    pub(crate) async fn clip(&self, name: &str) -> Option<Clip> {
        let id = self.rig_clip(name)?;
        let record = self.snapshot.lock().await.clip(&id).await.ok()?;
        clip::without_labels(record)
    }
}
