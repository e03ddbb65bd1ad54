//! From the store into a folder: the same for the command line and for what is asked on the page.

use super::clip::{self, Chosen};
use super::media::Media;
use anyhow::{Result, bail};
use formats::{Export, Finished, FormatError, Output, Plan, Split};
use label_store::{ClipId, LabelStore, QueueFilter, Snapshot, clip_id_text};
use review::{Selection, Subsets};
use serde_json::json;
use std::path::Path;

/// The subset of a set that is not divided.
const WHOLE: &str = "all";

/// Whom to tell how far it came.
pub(super) trait Progress {
    /// So many labels of so many are read. An error ends the export here; it can be gone on with.
    async fn at(&mut self, done: u64, total: u64) -> Result<()>;

    /// So much of so many of something of the media is done.
    fn media(&mut self, _what: &str, _done: u64, _total: u64) -> Result<()> {
        Ok(())
    }

    /// Something that stands beside the result.
    fn tell(&mut self, line: &str);
}

/// Writes what was selected, with media where a place of them is named, or goes on where an earlier run was broken off.
pub(super) async fn write(
    selection: &Selection,
    store: &LabelStore,
    (out, media): (&Path, Option<&Path>),
    progress: &mut impl Progress,
) -> Result<Finished> {
    let mut media = match media {
        Some(root) => Some(Media::found(root, store, selection, progress).await?),
        None => None,
    };
    let mut snapshot = store.snapshot().await?;
    let clips = snapshot.clips(&selection.filter).await?;
    let split = match &selection.subsets {
        Some(subsets) => Some(divide(subsets, &clips)?),
        None => None,
    };
    let plan = plan(selection, split.as_ref());
    let export = match Export::begin(out, plan.clone()) {
        // What was written is not what would be written now.
        Err(FormatError::Changed(_)) => begin_anew(out, plan.clone())?,
        begun => begun?,
    };
    let mut source = Source {
        snapshot: &mut snapshot,
        selection,
        split: split.as_ref(),
        media: media.as_ref(),
        out,
    };
    let mut export = match source.write(export, &clips, progress).await {
        Err(error)
            if matches!(
                error.downcast_ref::<FormatError>(),
                Some(FormatError::Changed(_))
            ) =>
        {
            progress.tell("labels have changed since this export was broken off: it begins anew");
            source
                .write(begin_anew(out, plan)?, &clips, progress)
                .await?
        }
        written => written?,
    };
    drop(snapshot);
    if let Some(media) = &mut media {
        export.media(|wanted, place| media.write(wanted, place, progress))?;
    }
    Ok(export.finish()?)
}

fn begin_anew(out: &Path, plan: Plan) -> Result<Export> {
    Output::discard(out)?;
    Ok(Export::begin(out, plan)?)
}

fn plan(selection: &Selection, split: Option<&Split>) -> Plan {
    let filter = &selection.filter;
    let kinds: Vec<_> = filter.kinds.iter().map(|kind| kind.name()).collect();
    let conditions: Vec<_> = filter.conditions.iter().map(|one| one.name()).collect();
    let subsets = selection.subsets.as_ref();
    let divided = split.zip(subsets).map(|(split, subsets)| {
        let groups = split.groups.iter();
        let groups: Vec<_> = groups
            .map(|(group, subset)| json!({"of": group.of, "subset": subset, "clips": group.clips.len()}))
            .collect();
        json!({
            "by": if subsets.people.is_some() { "person" } else { "rig" },
            "seed": subsets.seed,
            "shares": subsets.shares,
            "groups": groups,
        })
    });
    let mut names: Vec<_> = subsets.map_or_else(
        || vec![WHOLE.to_owned()],
        |subsets| {
            subsets
                .shares
                .iter()
                .map(|share| share.subset.clone())
                .collect()
        },
    );
    names.sort();
    Plan {
        format: selection.format,
        density: selection.density,
        subsets: names,
        selection: json!({
            "labels": selection.labels,
            "rig": filter.rig.as_ref().map(label_core::id::Name::as_str),
            "clip": filter.clip.as_ref().map(clip_id_text),
            "kinds": kinds,
            "state": filter.state.map(label_store::ReviewState::name),
            "confidence_min": filter.confidence_min,
            "confidence_max": filter.confidence_max,
            "model": filter.model.as_ref().map(|model| format!("{}@{}", model.name, model.version)),
            "conditions": conditions,
            "split": divided,
        }),
    }
}

fn divide(subsets: &Subsets, clips: &[(ClipId, u64)]) -> Result<Split> {
    let mut with_groups = Vec::with_capacity(clips.len());
    let mut unknown = Vec::new();
    for (id, labels) in clips {
        let text = clip_id_text(id);
        let of = match &subsets.people {
            None => Some(vec![id.rig.as_str().to_owned()]),
            Some(people) => people.get(&text).cloned(),
        };
        let Some(of) = of else {
            unknown.push(text);
            continue;
        };
        with_groups.push((text, *labels, of));
    }
    if !unknown.is_empty() {
        let first: Vec<_> = unknown.iter().take(5).map(String::as_str).collect();
        bail!(
            "{} clip(s) are not in the list of people, so nobody knows whom they would be parted from: {}{}. Add a line \
             `clip,person` for each, or choose a rig or a clip",
            unknown.len(),
            first.join(", "),
            if unknown.len() > first.len() {
                ", …"
            } else {
                ""
            }
        );
    }
    Ok(Split::of(&with_groups, &subsets.shares, subsets.seed)?)
}

/// Where clips come from.
struct Source<'a> {
    snapshot: &'a mut Snapshot,
    selection: &'a Selection,
    split: Option<&'a Split>,
    media: Option<&'a Media>,
    out: &'a Path,
}

impl Source<'_> {
    async fn write(
        &mut self,
        mut export: Export,
        clips: &[(ClipId, u64)],
        progress: &mut impl Progress,
    ) -> Result<Export> {
        if let Some(earlier) = export.resumed() {
            progress.tell(&format!("{earlier} clip(s) were written before: going on"));
        }
        let filter: &QueueFilter = &self.selection.filter;
        let total = clips.iter().map(|(_, labels)| *labels).sum();
        progress.at(0, total).await?;
        let (mut chosen, mut written, mut done) = (0, 0_u64, 0);
        let mut without_size = Vec::new();
        for (id, labels) in clips {
            match clip::read(self.snapshot, id, filter, self.selection.labels).await? {
                Chosen::Clip(mut clip) => {
                    if let Some(media) = self.media {
                        clip.beside = media.beside(&clip.id)?;
                    }
                    let subset = self.split.and_then(|split| split.subset(&clip.id));
                    chosen += clip.labels.len();
                    written += 1;
                    export.clip(&clip, subset.unwrap_or(WHOLE))?;
                }
                Chosen::NotOpened => without_size.push(clip_id_text(id)),
                Chosen::Nothing => {}
            }
            done += labels;
            progress.at(done, total).await?;
        }
        if !without_size.is_empty() {
            progress.tell(&format!(
                "left out, since their rig's message of their size has not come: {}",
                without_size.join(", ")
            ));
        }
        if written == 0 || (chosen == 0 && filter.chooses_labels()) {
            Output::discard(self.out)?;
            bail!(
                "no label matches: nothing was written. Leave out a filter, or look in the queue what there is"
            );
        }
        Ok(export)
    }
}
