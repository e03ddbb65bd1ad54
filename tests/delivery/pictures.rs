//! Key pictures of the demo clip: a reviewer sees each box, eye and state in the frame that the picture says it is.

use crate::appliance::{board, labels, project, records};
use crate::{Bench, FIXTURE};
use capture::{ClipSource, Ffmpeg, FrameBuffer, FrameSource};
use end_to_end::{Program, binary, wait_for};
use label_core::wire::{
    ClipEvent, ClipMessage, KeyPicture, Label, MAX_PICTURE_BYTES, PictureHeader, Topic,
    split_evidence,
};
use label_store::{Balance, LabelStore};
use std::process::Command;
use uplink::Record;

/// What a record of the evidence topic shows, if it is a key picture.
pub(crate) fn picture(record: &Record) -> Option<(KeyPicture, Vec<u8>)> {
    if record.topic != Topic::Evidence {
        return None;
    }
    let (header, jpeg) = split_evidence(&record.payload).unwrap();
    let header: PictureHeader = serde_json::from_slice(header).ok()?;
    Some((header.picture, jpeg.to_vec()))
}

/// Luma of the clip's first frames, 0 to 255.
fn frames(count: usize) -> Vec<Vec<f32>> {
    let fetched = project().join(".rigel/bin/ffmpeg");
    let ffmpeg = Ffmpeg::find(&[if fetched.is_file() {
        fetched
    } else {
        "ffmpeg".into()
    }]);
    let clip = project().join(".rigel/clips/franck.mp4");
    let mut source = ClipSource::open(&clip, &ffmpeg.unwrap(), None).unwrap();
    let mut buffer = FrameBuffer::default();
    (0..count)
        .map_while(|_| {
            source
                .next_into(&mut buffer)
                .unwrap()
                .then(|| buffer.clone())
        })
        .map(|frame| {
            let (zero, span) = if frame.full_range {
                (0.0, 255.0)
            } else {
                (16.0, 219.0)
            };
            let full = |value: &u8| (f32::from(*value) - zero) * 255.0 / span;
            frame.luma().iter().map(full).collect()
        })
        .collect()
}

fn mean_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32
}

#[test]
fn every_label_of_the_demo_clip_is_shown_in_a_picture_of_the_frame_that_it_says() {
    let bench = Bench::new();
    let broker = bench.broker();
    let board = board(&bench, broker.port);
    let mut run = Command::new(binary("rigeld", FIXTURE));
    run.arg("run").arg("--board").arg(&board);
    let rig = Program::start("rigeld", &mut run);
    // Nobody listens yet: everything waits in the outbox, where it can be looked at.
    let (records, made) = wait_for("the clip's end in the outbox", || {
        let records = records(&bench);
        let closed = records.iter().find_map(|record| {
            let message = (record.topic == Topic::Clip).then_some(&record.payload)?;
            match serde_json::from_slice::<ClipMessage>(message)
                .unwrap()
                .event
            {
                ClipEvent::Closed(closed) => Some(closed),
                _ => None,
            }
        })?;
        Some((records, closed))
    });
    let pictures: Vec<_> = records.iter().filter_map(picture).collect();
    let evidence = records
        .iter()
        .filter(|record| record.topic == Topic::Evidence);
    assert_eq!(evidence.count() as u64, made.labels.evidence);

    let labels: Vec<Label> = records
        .iter()
        .filter(|record| record.topic == Topic::Label)
        .flat_map(labels)
        .collect();
    let mut shown = 0;
    for label in &labels {
        if label.value.is_none() || label.kind.is_event() {
            continue;
        }
        let is_shown = pictures
            .iter()
            .any(|(shows, _)| label.frames.contains(shows.frame));
        assert!(
            is_shown,
            "no picture of {:?} {:?}",
            label.kind, label.frames
        );
        shown += 1;
    }
    assert!(shown > 30, "{shown} labels");
    assert!(
        pictures.len() < shown / 2,
        "labels share {} pictures",
        pictures.len()
    );

    let frames = frames(made.frames as usize);
    let mut differing = 0;
    for (shows, jpeg) in &pictures {
        assert!(jpeg.len() <= MAX_PICTURE_BYTES);
        assert_eq!((shows.size, shows.of), ((360, 288), (360, 288)));
        let decoded = image::load_from_memory(jpeg).unwrap().into_luma8();
        assert_eq!(decoded.dimensions(), (360, 288));
        let luma: Vec<f32> = decoded.iter().map(|value| f32::from(*value)).collect();
        let own = mean_difference(&luma, &frames[shows.frame as usize]);
        assert!(own < 4.0, "frame {}: {own} grey levels", shows.frame);
        let first = (shows.frame as usize).saturating_sub(12);
        for (other, frame) in frames.iter().enumerate().skip(first).take(25) {
            let difference = mean_difference(&luma, frame);
            // Where nobody moves, neighbours differ by less than the JPEG does.
            assert!(
                own <= difference + 0.3,
                "it says {} and shows {other}: {own} and {difference} grey levels",
                shows.frame
            );
            differing += u32::from(difference > own + 1.0);
        }
    }

    assert!(differing > 50, "{differing}: frames can be told apart");

    // The same at the desk, once there is one.
    let host = bench.host_at(&broker);
    assert!(rig.wait().success(), "rigeld saw everything committed");
    let arrived = bench.runtime.block_on(async {
        let store = LabelStore::open(&host.database()).await.unwrap();
        let summary = store.summary().await.unwrap();
        assert_eq!((summary.quarantined, summary.clips.len()), (0, 1));
        assert_eq!(summary.clips[0].balance, Balance::Balanced);
        let mut arrived = Vec::new();
        for stored in store.pictures(summary.clips[0].id()).await.unwrap() {
            let (stored, jpeg) = store.picture(&stored.id).await.unwrap().unwrap();
            arrived.push((stored.shows, jpeg));
        }
        store.close().await;
        arrived
    });
    let mut pictures = pictures;
    pictures.sort_by_key(|(shows, _)| shows.frame);
    assert!(arrived == pictures, "every picture arrived as it was made");
    host.stop();
}
