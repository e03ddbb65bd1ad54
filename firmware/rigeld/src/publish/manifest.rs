//! The part of the clip's manifest that is being gathered.

use capture::FrameInfo;
use label_core::wire::{
    DroppedFrames, MAX_PART_FRAMES, MAX_SHED_CHANGES, ManifestPart, ShedChange,
};
use std::time::Instant;

/// Gathers a part; it is to be sent as soon as it [`is_full`](Self::is_full).
pub(super) struct Manifest {
    part: ManifestPart,
    /// When its first frame came.
    since: Option<Instant>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            part: empty_part(0),
            since: None,
        }
    }
}

impl Manifest {
    /// Takes a frame. A part that is not full has room for all that one frame brings.
    pub(super) fn frame(&mut self, info: &FrameInfo, now: Instant) {
        let part = &mut self.part;
        self.since.get_or_insert(now);
        let _ = part.pts_us.push(info.at);
        if let Some(us) = info.captured_us {
            let _ = part.mono_us.push(us);
        }
        if info.repeat {
            let _ = part.repeats.push(info.index);
        }
        if info.dropped_before > 0 {
            let _ = part.dropped.push(DroppedFrames {
                before: info.index,
                count: info.dropped_before,
            });
        }
    }

    /// Takes a change of what is left out; it comes before the frame that it names.
    pub(super) fn shed(&mut self, change: ShedChange) {
        let _ = self.part.shed.push(change);
    }

    /// Whether another frame might not fit.
    pub(super) fn is_full(&self) -> bool {
        self.part.pts_us.len() == MAX_PART_FRAMES
            || self.part.dropped.is_full()
            || self.part.shed.len() == MAX_SHED_CHANGES
    }

    /// When the first frame came that waits here.
    pub(super) const fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Hands out what was gathered; `None` where no frame was.
    pub(super) fn take(&mut self) -> Option<ManifestPart> {
        self.since.take()?;
        let next = self.part.first + self.part.pts_us.len() as u32;
        Some(std::mem::replace(&mut self.part, empty_part(next)))
    }
}

const fn empty_part(first: u32) -> ManifestPart {
    ManifestPart {
        first,
        pts_us: heapless::Vec::new(),
        mono_us: heapless::Vec::new(),
        repeats: heapless::Vec::new(),
        dropped: heapless::Vec::new(),
        shed: heapless::Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use label_core::CaptureTime;
    use label_core::wire::Shed;

    #[test]
    fn however_often_frames_are_lost_and_work_is_shed_every_frame_and_every_loss_is_in_a_part() {
        let (mut manifest, mut parts, now) = (Manifest::default(), Vec::new(), Instant::now());
        for index in 0..1000u32 {
            if index % 7 == 3 {
                let shed = Shed::PersonBox;
                manifest.shed(ShedChange {
                    before: index,
                    shed,
                });
            }
            let info = FrameInfo {
                index,
                at: CaptureTime(i64::from(index)),
                captured_us: Some(i64::from(index) + 5),
                dropped_before: u32::from(index % 3 == 0 && index > 300) * 2,
                ..FrameInfo::default()
            };
            manifest.frame(&info, now);
            if manifest.is_full() {
                parts.extend(manifest.take());
            }
        }
        parts.extend(manifest.take());
        assert!(manifest.take().is_none());
        let mut next = 0;
        for part in &parts {
            assert_eq!((part.first, part.pts_us.len()), (next, part.mono_us.len()));
            next += part.pts_us.len() as u32;
        }
        let lost = parts.iter().flat_map(|part| &part.dropped);
        let changes: usize = parts.iter().map(|part| part.shed.len()).sum();
        assert_eq!((next, changes), (1000, 143));
        assert_eq!(lost.map(|lost| lost.count).sum::<u32>(), 233 * 2);
    }
}
