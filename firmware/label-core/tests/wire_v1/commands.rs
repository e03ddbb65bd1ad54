//! What the desk asks, and what a rig answers.

use crate::{text, written};
use heapless::Vec;
use label_core::wire::*;
use label_core::*;

fn reply(answer: Answer) -> String {
    let reply = Reply {
        v: WIRE_VERSION,
        rig: parse_name("rig-07").unwrap(),
        boot: BootId::first(3),
        answer,
    };
    let json = written(&reply);
    assert_eq!(serde_json::from_str::<Reply>(&json).unwrap(), reply);
    json
}

#[test]
fn what_the_desk_asks() {
    let picture = AskPicture {
        v: WIRE_VERSION,
        boot: BootId::first(3),
    };
    assert_eq!(written(&picture), r#"{"v":1,"boot":3145729}"#);
    let frames = AskFrames {
        v: WIRE_VERSION,
        boot: BootId::first(3),
        of: (BootId::first(2), 7),
        frames: (1200, 1260),
        offset: 49_152,
    };
    let json = written(&frames);
    assert_eq!(
        json,
        r#"{"v":1,"boot":3145729,"of":[2097153,7],"frames":[1200,1260],"offset":49152}"#
    );
    assert!(json.len() < MAX_COMMAND_BYTES);
    assert_eq!(serde_json::from_str::<AskFrames>(&json).unwrap(), frames);
    let purge = AskPurge {
        v: WIRE_VERSION,
        boot: BootId::first(3),
        of: (BootId::first(2), 7),
        frames: None,
    };
    assert_eq!(
        written(&purge),
        r#"{"v":1,"boot":3145729,"of":[2097153,7]}"#
    );
    let person = AskPurge {
        frames: Some((1200, 1260)),
        ..purge
    };
    assert_eq!(
        written(&person),
        r#"{"v":1,"boot":3145729,"of":[2097153,7],"frames":[1200,1260]}"#
    );
}

#[test]
fn what_a_rig_answers() {
    let picture = KeyPicture {
        frame: 120,
        pts_us: CaptureTime(4_000_000),
        size: (640, 360),
        of: (1920, 1080),
    };
    assert_eq!(
        reply(Answer::Picture(AskedPicture { clip: 2, picture })),
        concat!(
            r#"{"v":1,"rig":"rig-07","boot":3145729,"answer":{"picture":{"clip":2,"picture":{"frame":120,"pts_us":4000000,"#,
            r#""size":[640,360],"of":[1920,1080]}}}}"#
        )
    );
    let chunk = Chunk {
        bytes: 120_000,
        sha256: text("cd34"),
        offset: 0,
        pictures: Vec::from_slice(&[(1200, CaptureTime(40_000_000), 60_000)]).unwrap(),
    };
    assert_eq!(
        reply(Answer::Chunk(chunk.clone())),
        concat!(
            r#"{"v":1,"rig":"rig-07","boot":3145729,"answer":{"chunk":{"bytes":120000,"sha256":"cd34","offset":0,"#,
            r#""pictures":[[1200,40000000,60000]]}}}"#
        )
    );
    let later = Chunk {
        offset: 49_152,
        pictures: Vec::new(),
        ..chunk
    };
    assert_eq!(
        reply(Answer::Chunk(later)),
        r#"{"v":1,"rig":"rig-07","boot":3145729,"answer":{"chunk":{"bytes":120000,"sha256":"cd34","offset":49152}}}"#
    );
    assert_eq!(
        reply(Answer::Purged(PurgedRecording { segments: 3 })),
        r#"{"v":1,"rig":"rig-07","boot":3145729,"answer":{"purged":{"segments":3}}}"#
    );
    let because = RefusedBecause::NotRecorded;
    let json = reply(Answer::Refused(because));
    let word = because.name();
    let expected =
        format!(r#"{{"v":1,"rig":"rig-07","boot":3145729,"answer":{{"refused":"{word}"}}}}"#);
    assert_eq!(json, expected);
    let mut message = REPLY_MAGIC.to_vec();
    message.extend((json.len() as u32).to_le_bytes());
    message.extend(json.as_bytes());
    message.extend([1, 2]);
    assert_eq!(split_reply(&message), Some((json.as_bytes(), &[1, 2][..])));
    for cut in 0..json.len() + 8 {
        assert_eq!(split_reply(&message[..cut]), None, "cut at {cut}");
    }
}
