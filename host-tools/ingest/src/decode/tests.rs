//! What is taken, and what is refused with which reason.

use super::*;

const LABEL: &str = "rigel/v1/north/rig/label";

fn refusal(topic: &str, payload: &str) -> Refusal {
    match decode(topic, payload.as_bytes().to_vec(), 0).content {
        Content::Refused(refusal) => refusal,
        content => panic!("taken: {content:?}"),
    }
}

fn batch(label: &str) -> String {
    format!(
        r#"{{"v":1,"from":{{"rig":"rig","boot":1048577,"seq":3}},"clip":1,"models":[],"labels":[{label}]}}"#
    )
}

const BLINK: &str = r#"{"n":0,"kind":"blink","track":1,"frames":[12,18],"pts_us":[4,6],"decision":"candidate","confidence":0.5,"value":{"event":{"eyes":"both","peak":15,"opening":0.31}}}"#;

#[test]
fn a_sound_batch_is_taken() {
    let incoming = decode(LABEL, batch(BLINK).into_bytes(), 5);
    let Content::Labels { batch, .. } = incoming.content else {
        panic!("{:?}", incoming.content)
    };
    assert_eq!((batch.from.seq, batch.labels.len()), (3, 1));
}

#[test]
fn what_a_level_rests_on_is_taken_with_alertness_alone_and_in_possible_numbers() {
    const LEVEL: &str = r#"{"n":0,"kind":"alertness","track":1,"frames":[12,18],"pts_us":[4,6],"decision":"candidate","confidence":0.5,"value":{"level":5},"signs":{"seen_s":60.0,"perclos":0.01,"longest_closure_s":0.2,"closures":0,"blinks":9,"yawns":0,"nods":0},"driver":true}"#;
    let taken = |label: &str| {
        matches!(
            decode(LABEL, batch(label).into_bytes(), 0).content,
            Content::Labels { .. }
        )
    };
    assert!(taken(LEVEL));
    assert!(!taken(
        &LEVEL.replace("\"perclos\":0.01", "\"perclos\":1.5")
    ));
    assert!(!taken(&LEVEL.replace("60.0", "-1.0")));
    let other = LEVEL.replace("alertness", "video-quality");
    assert!(!taken(&other));
    assert!(!taken(&LEVEL.replace("{\"level\":5}", "{\"level\":6}")));
}

#[test]
fn unknown_fields_are_ignored() {
    let payload = batch(BLINK).replace("\"clip\":1", "\"clip\":1,\"later\":{\"x\":[]}");
    assert!(matches!(
        decode(LABEL, payload.into_bytes(), 0).content,
        Content::Labels { .. }
    ));
}

#[test]
fn hostile_and_broken_messages_are_refused_with_the_reason() {
    use RefusalReason::*;
    let sound = batch(BLINK);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (topic, payload, reason, is_named) in [
        ("rigel/v1/north/rig", String::new(), Topic, false),
        ("rigel/v1/north/rig/ack", sound.clone(), Topic, false),
        ("rigel/v1/no rth/rig/label", sound.clone(), Topic, false),
        (LABEL, String::new(), Malformed, false),
        (LABEL, "null".into(), Malformed, false),
        (LABEL, "\u{0}\u{1}\u{2}".into(), Malformed, false),
        (LABEL, deep[..60_000].to_owned(), Malformed, false),
        (LABEL, " ".repeat(MAX_MESSAGE_BYTES + 1), TooLong, false),
        (LABEL, sound.replace("\"v\":1", "\"v\":2"), Version, false),
        (
            LABEL,
            sound.replace("\"rig\":\"rig\"", "\"rig\":\"other\""),
            WrongRig,
            false,
        ),
        (LABEL, sound.replace("1048577", "0"), OutOfRange, false),
        (
            LABEL,
            sound.replace("1048577", "99999999999999999"),
            OutOfRange,
            false,
        ),
        (
            LABEL,
            sound.replace("\"seq\":3", "\"seq\":0"),
            OutOfRange,
            false,
        ),
        (
            LABEL,
            sound.replace("\"seq\":3", "\"seq\":-3"),
            Malformed,
            false,
        ),
        (
            LABEL,
            sound.replace("\"seq\":3", "\"seq\":18446744073709551615"),
            OutOfRange,
            false,
        ),
        (LABEL, sound.replace("blink", "wink"), Malformed, true),
        (
            LABEL,
            sound.replace("\"clip\":1", "\"clip\":-1"),
            Malformed,
            true,
        ),
        (LABEL, sound.replace("\"clip\":1,", ""), Malformed, true),
        (LABEL, batch(&[BLINK; 13].join(",")), Malformed, true),
        (LABEL, sound.replace("0.5", "7"), OutOfRange, true),
        (LABEL, sound.replace("0.5", "-0.1"), OutOfRange, true),
        (LABEL, sound.replace("0.31", "1e38"), OutOfRange, true),
        (
            LABEL,
            sound.replace("\"peak\":15", "\"peak\":19"),
            OutOfRange,
            true,
        ),
        (LABEL, sound.replace("\"n\":0", "\"n\":1"), OutOfRange, true),
        (LABEL, sound.replace("[4,6]", "[6,4]"), OutOfRange, true),
        (
            LABEL,
            sound.replace("[4,6]", "[4,9000000000000000000]"),
            OutOfRange,
            true,
        ),
        (LABEL, sound.replace("\"track\":1,", ""), OutOfRange, true),
        (
            LABEL,
            sound.replace("candidate", "abstain"),
            OutOfRange,
            true,
        ),
        (
            LABEL,
            sound.replace("\"confidence\":0.5,", "\"confidence\":0.5,\"model\":0,"),
            OutOfRange,
            true,
        ),
        (
            LABEL,
            sound.replace("\"blink\"", "\"bbox-person\""),
            OutOfRange,
            true,
        ),
    ] {
        let refusal = refusal(topic, &payload);
        assert_eq!(
            (refusal.reason, refusal.named.is_some()),
            (reason, is_named),
            "{topic} {} {}",
            &payload[..payload.len().min(200)],
            refusal.detail
        );
    }
}

#[test]
fn evidence_without_a_picture_or_cut_short_is_refused() {
    let header = r#"{"v":1,"from":{"rig":"rig","boot":1048577,"seq":4},"clip":1,"label":[3,0],"kind":"blink","track":1,"frames":[10,12],"stride":1,"left":[1.0,0.25,null],"right":[null,null,null],"columns":[10,12],"tile":[64,40]}"#;
    let topic = "rigel/v1/north/rig/evidence";
    let mut message = b"RGE1".to_vec();
    message.extend((header.len() as u32).to_le_bytes());
    message.extend(header.as_bytes());
    let bare = decode(topic, message.clone(), 0).content;
    assert!(
        matches!(&bare, Content::Refused(refusal) if refusal.named.is_some()),
        "{bare:?}"
    );
    for cut in 0..message.len() {
        let content = decode(topic, message[..cut].to_vec(), 0).content;
        assert!(matches!(content, Content::Refused(_)), "cut at {cut}");
    }
    let jpeg_at_expected = message.len();
    message.extend([0xff, 0xd8, 0xff, 0xe0]);
    let Content::Evidence { jpeg_at, .. } = decode(topic, message, 0).content else {
        panic!("refused")
    };
    assert_eq!(jpeg_at, jpeg_at_expected);
}

#[test]
fn text_with_control_characters_is_refused() {
    let clip = r#"{"v":1,"from":{"rig":"rig","boot":1048577,"seq":1},"clip":1,"event":{"opened":{"name":"a\u001bb","width":3,"height":2,"codec":"h264","mono_us":5,"utc_us":17,"clock":"ntp"}}}"#;
    let refused = refusal("rigel/v1/north/rig/clip", clip);
    assert_eq!(refused.detail, "name holds a control character");
    let sound = clip.replace("\\u001b", "<b>");
    assert!(matches!(
        decode("rigel/v1/north/rig/clip", sound.into_bytes(), 0).content,
        Content::Clip { .. }
    ));
}

fn clip(event: &str) -> String {
    format!(r#"{{"v":1,"from":{{"rig":"rig","boot":1048577,"seq":9}},"clip":1,"event":{event}}}"#)
}

#[test]
fn marks_and_shed_changes_that_cannot_be_true_are_refused() {
    let mark = r#"{"operator-mark":{"frame":306,"pts_us":12240000,"mono_us":95,"utc_us":17,"clock":"ntp"}}"#;
    let part = r#"{"part":{"first":4,"pts_us":[1,2],"shed":[{"before":4,"shed":"half-rate"},{"before":5,"shed":"nothing"}]}}"#;
    let topic = "rigel/v1/north/rig/clip";
    for sound in [mark, part] {
        let content = decode(topic, clip(sound).into_bytes(), 0).content;
        assert!(matches!(content, Content::Clip { .. }), "{content:?}");
    }
    for (event, from, to, detail) in [
        (mark, "306", "4294967295", "frame is no frame of a clip"),
        (
            mark,
            "12240000",
            "9000000000000000000",
            "pts_us is thirty years away",
        ),
        (
            mark,
            "95",
            "-9000000000000000000",
            "mono_us is thirty years away",
        ),
        (mark, "17", "-17", "utc_us is not between 1970 and 2200"),
        (
            part,
            "\"before\":5",
            "\"before\":6",
            "shed names a frame of another part",
        ),
        (
            part,
            "\"before\":4",
            "\"before\":3",
            "shed names a frame of another part",
        ),
        (
            &part
                .replace("\"before\":4", "\"before\":7")
                .replace("\"before\":5", "\"before\":4")
                .replace("\"before\":7", "\"before\":5"),
            "nothing",
            "nothing",
            "shed is out of order",
        ),
    ] {
        let refused = refusal(topic, &clip(&event.replace(from, to)));
        assert_eq!(
            (
                refused.reason,
                refused.detail.as_str(),
                refused.named.is_some()
            ),
            (RefusalReason::OutOfRange, detail, true)
        );
    }
}

#[test]
fn an_event_or_a_reason_that_this_host_is_too_old_for_is_kept_aside_and_its_number_counts() {
    for (topic, payload) in [
        (
            "rigel/v1/north/rig/clip",
            clip(r#"{"steering-wheel-hit":{"frame":3}}"#),
        ),
        (
            LABEL,
            batch(
                r#"{"n":0,"kind":"blink","track":1,"frames":[12,18],"pts_us":[4,6],"decision":"abstain","reason":"sun-in-the-lens"}"#,
            ),
        ),
    ] {
        let refused = refusal(topic, &payload);
        assert_eq!(refused.reason, RefusalReason::Malformed);
        assert!(refused.detail.contains("unknown variant"), "{refused:?}");
        assert!(refused.named.is_some(), "{refused:?}");
    }
}

#[test]
fn counts_that_no_rig_reaches_are_refused_so_that_sums_over_a_fleet_stay_numbers() {
    let evicted = |seqs: &str, labels: u64, evidence: u64| {
        let json = format!(
            r#"{{"v":1,"from":{{"rig":"rig","boot":1048577,"seq":9}},"boot":1048577,"seqs":{seqs},"labels":{labels},"evidence":{evidence}}}"#
        );
        decode("rigel/v1/north/rig/evicted", json.into_bytes(), 0).content
    };
    for (seqs, labels, evidence) in [("[2,5]", 32, 4), ("[1,9007199254740991]", (1 << 31) - 1, 0)] {
        assert!(matches!(
            evicted(seqs, labels, evidence),
            Content::Evicted { .. }
        ));
    }
    for (seqs, labels, evidence) in [
        ("[2,5]", 33, 0),
        ("[2,5]", 0, 5),
        ("[1,9007199254740991]", 1 << 31, 0),
    ] {
        assert!(
            matches!(evicted(seqs, labels, evidence), Content::Refused(_)),
            "{labels} labels and {evidence} pictures in {seqs}"
        );
    }
}

#[test]
fn health_of_a_camera_that_cannot_be_is_refused() {
    let sound = concat!(
        r#"{"v":1,"rig":"rig","boot":1048577,"uptime_s":1,"frames":{"captured":0,"processed":0,"dropped":0,"repeated":0},"#,
        r#""labels":{"offered":0,"abstained":0,"evidence":0,"messages":0,"acked":0,"evicted":0},"#,
        r#""outbox":{"messages":0,"bytes":0},"stages":[],"clock":"rtc","camera":{"state":"streaming","format":"nv12","#,
        r#""width":640,"height":480,"asked_fps":30.0,"measured_fps":29.0,"damaged":0,"reopened":0},"latency_ms":20.0}"#
    );
    let topic = "rigel/v1/north/rig/health";
    assert!(matches!(
        decode(topic, sound.into(), 0).content,
        Content::Health { .. }
    ));
    for (from, to) in [
        ("29.0", "-1.0"),
        ("30.0", "1e38"),
        ("640", "70000"),
        ("20.0", "-1.0"),
        ("nv12", "\\u001b"),
    ] {
        let refused = refusal(topic, &sound.replace(from, to));
        assert_eq!(refused.reason, RefusalReason::OutOfRange, "{refused:?}");
    }
}
