//! Rigs and files that are named like scripts: the page shows what they are called, and does nothing of it.

use crate::browser::Browser;
use crate::desk::Host;
use label_core::wire::{
    Birth, ClipClosed, ClipEvent, ClipMessage, ClipOpened, ClockState, Decision, EventEyes,
    EventValue, Label, LabelBatch, LabelCounts, LabelValue, ModelRef, Origin, Power, Status,
    parse_name,
};
use label_core::{BootId, CaptureTime, Confidence, FrameRange, LabelKind};
use label_store::{
    Asked, Content, Incoming, Judgement, LabelStore, NewPolicyStep, NewVerdict, PolicyWord, now_us,
};
use serde_json::json;

/// Within the shortest text that a rig may say.
const SCRIPT: &str = "<img src=x onerror=owned=1>";
/// Within 24 bytes.
const SHORT: &str = "<svg onload=owned=1>";
/// What closes an attribute or a script that it may stand in.
const LONG: &str = "\"><script>window.owned=1</script><a href=\"javascript:owned=1\">x</a>";

fn text<T: for<'a> TryFrom<&'a str, Error: std::fmt::Debug>>(text: &str) -> T {
    text.try_into().unwrap()
}

fn model() -> ModelRef {
    ModelRef {
        name: text(SCRIPT),
        version: text(SHORT),
        sha256: text("5e5e"),
    }
}

async fn hand_in(store: &LabelStore, topic: &str, content: Content) {
    let incoming = Incoming {
        topic: format!("rigel/v1/city/rig-x/{topic}"),
        received_us: now_us(),
        payload: b"{}".to_vec(),
        content,
    };
    assert_eq!(store.commit(&[incoming]).await.unwrap().quarantined, 0);
}

/// Everything that a rig may say in words, a person's reasons, and a reviewer whose name another door let in.
async fn a_hostile_rig(store: &LabelStore) {
    let (rig, boot) = (parse_name("rig-x").unwrap(), BootId::first(3));
    let site = || parse_name("city").unwrap();
    let mut seq = 0;
    let mut from = || {
        seq += 1;
        Origin {
            rig: rig.clone(),
            boot,
            seq,
        }
    };
    let status = Status {
        v: 1,
        rig: rig.clone(),
        boot,
        state: Power::Online,
    };
    let message = status;
    hand_in(
        store,
        "status",
        Content::Status {
            site: site(),
            message,
        },
    )
    .await;
    let message = Box::new(Birth {
        v: 1,
        rig: rig.clone(),
        boot,
        hardware: text(SCRIPT),
        firmware: text(SHORT),
        runtime: model(),
        models: heapless::Vec::from_slice(&[model()]).unwrap(),
        board: text(SCRIPT),
        board_sha256: text("b0a2"),
        self_test: Some(text(&format!("failed: {LONG}"))),
    });
    hand_in(
        store,
        "birth",
        Content::Birth {
            site: site(),
            message,
        },
    )
    .await;
    let opened = ClipEvent::Opened(ClipOpened {
        name: text(LONG),
        width: 1280,
        height: 720,
        nominal_fps: Some(30.0),
        codec: text(SHORT),
        mono_us: 0,
        utc_us: now_us(),
        clock: ClockState::Ntp,
    });
    let frames = FrameRange::new(100, 107);
    let mut labels = heapless::Vec::new();
    labels
        .push(Label {
            n: 0,
            kind: LabelKind::Blink,
            track: Some(1),
            frames,
            pts_us: (CaptureTime(3_333_300), CaptureTime(3_566_631)),
            decision: Decision::Candidate,
            reason: None,
            confidence: Some(Confidence::new(0.9).unwrap()),
            raw: Some(1.0),
            model: Some(0),
            value: Some(LabelValue::Event(EventValue {
                eyes: EventEyes::Both,
                peak: 103,
                opening: 0.1,
            })),
            signs: None,
            driver: true,
        })
        .unwrap();
    let event = |from, event| {
        let message = Box::new(ClipMessage {
            v: 1,
            from,
            clip: 1,
            event,
        });
        Content::Clip {
            site: site(),
            message,
        }
    };
    hand_in(store, "clip", event(from(), opened)).await;
    let models = heapless::Vec::from_slice(&[model()]).unwrap();
    let batch = Box::new(LabelBatch::new(from(), 1, models, labels));
    hand_in(
        store,
        "label",
        Content::Labels {
            site: site(),
            batch,
        },
    )
    .await;
    let closed = ClipEvent::Closed(ClipClosed {
        frames: 200,
        repeated: 0,
        dropped: 0,
        sha256: None,
        damage: Some(text(LONG)),
        labels: LabelCounts::default(),
    });
    hand_in(store, "clip", event(from(), closed)).await;

    let new = NewVerdict {
        judgement: Judgement::Accept,
        cause: None,
        correction: None,
        spent_ms: 900,
    };
    let asked = Asked {
        reviewer: SCRIPT.to_owned(),
        at_us: now_us(),
        key: None,
    };
    let label = label_store::parse_label_key(&format!("rig-x:{}:2:0", boot.raw())).unwrap();
    store.record_verdict(&label, &new, &asked).await.unwrap();
    let step = NewPolicyStep {
        rig,
        kind: LabelKind::Blink,
        word: PolicyWord::Demote,
        threshold: None,
        model: SCRIPT.to_owned(),
        decided_by: SCRIPT.to_owned(),
        automatic: false,
        words: LONG.to_owned(),
        evidence: json!(null),
        at_us: now_us(),
        after: 0,
    };
    store.add_policy_step(&step).await.unwrap();
}

#[tokio::test]
async fn what_is_named_like_a_script_is_shown_and_never_run() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("labels.db");
    let store = LabelStore::open(&database).await.unwrap();
    Box::pin(a_hostile_rig(&store)).await;
    let host = Host::start(&database, "127.0.0.1:0".parse().unwrap());
    let page = Browser::open(&format!("http://{}/", host.address)).await;
    for (view, appears, shown) in [
        ("review", ".facts .id", vec![LONG]),
        ("quality", ".steps li", vec![LONG, SCRIPT]),
        ("fleet", ".rig .alarm", vec![LONG, SCRIPT, SHORT]),
        ("live", ".latest li", vec![]),
        ("second-look", "main", vec![]),
    ] {
        page.ask(&format!("location.hash = '#/{view}'")).await;
        // What was judged is listed, too, and what is folded is open.
        if view == "review" {
            page.ask(&format!(
                "location.hash = '#/review/rig-x:{}:2:0'",
                BootId::first(3).raw()
            ))
            .await;
        }
        page.until(&format!("document.querySelector('{appears}') !== null"))
            .await;
        page.ask("for (const one of document.querySelectorAll('details')) one.open = true")
            .await;
        let made = "return document.querySelectorAll('[onerror], [onload], [href^=javascript], main script, iframe').length";
        assert_eq!(page.ask(made).await, 0, "{view}");
        assert_eq!(
            page.ask("return window.owned ?? null").await,
            json!(null),
            "{view}"
        );
        for text in shown {
            let literally = format!("document.body.textContent.includes({})", json!(text));
            page.until(&literally).await;
        }
    }
    // Were the page ever to slip, the browser would still run nothing that is not the page's own file.
    page.ask(
        "window.refused = [];
         document.addEventListener('securitypolicyviolation', (event) => window.refused.push(event.effectiveDirective));
         const place = document.createElement('div');
         place.innerHTML = '<img src=x onerror=\"window.owned=1\">';
         const script = document.createElement('script');
         script.textContent = 'window.owned = 2';
         const elsewhere = document.createElement('script');
         elsewhere.src = 'https://evil.example/x.js';
         document.body.append(place, script, elsewhere);",
    )
    .await;
    page.until("window.refused.length >= 3").await;
    let refused = page.ask("return [...new Set(window.refused)].sort()").await;
    assert_eq!(refused, json!(["script-src-attr", "script-src-elem"]));
    assert_eq!(page.ask("return window.owned ?? null").await, json!(null));
    page.close().await;
    host.vanish();
}
