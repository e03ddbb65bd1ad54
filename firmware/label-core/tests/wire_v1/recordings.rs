//! What a rig says of its recording, and what lies on its disk.

use crate::{origin, text, written};
use label_core::wire::*;
use label_core::*;

fn segment(torn: bool) -> RecordedSegment {
    RecordedSegment {
        boot: BootId::first(3),
        segment: 4,
        frames: (1200, 1499),
        pictures: 298,
        bytes: 17_203_004,
        sha256: text("9f86"),
        torn,
    }
}

#[test]
fn a_segment_that_is_whole_on_the_rigs_disk() {
    let message = ClipMessage {
        v: WIRE_VERSION,
        from: origin(2),
        clip: 2,
        event: ClipEvent::Recorded(segment(true)),
    };
    let bytes = written(&message);
    assert_eq!(
        bytes,
        concat!(
            r#"{"v":1,"from":{"rig":"rig-07","boot":3145729,"seq":2},"clip":2,"event":{"recorded":{"boot":3145729,"segment":4,"#,
            r#""frames":[1200,1499],"pictures":298,"bytes":17203004,"sha256":"9f86","torn":true}}}"#
        )
    );
    assert_eq!(
        serde_json::from_str::<ClipMessage>(&bytes).unwrap(),
        message
    );
}

#[test]
fn the_lines_of_an_index() {
    let head = IndexLine::Head(SegmentHead {
        v: WIRE_VERSION,
        rig: parse_name("rig-07").unwrap(),
        boot: BootId::first(3),
        clip: 2,
        segment: 4,
        width: 1280,
        height: 720,
    });
    let plain = RecordedFrame {
        frame: 1200,
        pts_us: CaptureTime(40_000_000),
        mono_us: None,
        offset: 0,
        bytes: 60_000,
        crc32: 7,
        repeat: false,
        dropped: 0,
    };
    let full = RecordedFrame {
        frame: 1203,
        mono_us: Some(95_000_000),
        repeat: true,
        dropped: 2,
        ..plain
    };
    let lines = [
        head,
        IndexLine::Frame(plain),
        IndexLine::Frame(full),
        IndexLine::End(segment(false)),
    ];
    let text: Vec<String> = lines.iter().map(written).collect();
    assert_eq!(
        text,
        [
            r#"{"head":{"v":1,"rig":"rig-07","boot":3145729,"clip":2,"segment":4,"width":1280,"height":720}}"#,
            r#"{"frame":{"frame":1200,"pts_us":40000000,"offset":0,"bytes":60000,"crc32":7}}"#,
            concat!(
                r#"{"frame":{"frame":1203,"pts_us":40000000,"mono_us":95000000,"offset":0,"bytes":60000,"crc32":7,"#,
                r#""repeat":true,"dropped":2}}"#
            ),
            concat!(
                r#"{"end":{"boot":3145729,"segment":4,"frames":[1200,1499],"pictures":298,"bytes":17203004,"#,
                r#""sha256":"9f86"}}"#
            ),
        ]
    );
    for (line, text) in lines.iter().zip(&text) {
        assert_eq!(serde_json::from_str::<IndexLine>(text).unwrap(), *line);
    }
}
