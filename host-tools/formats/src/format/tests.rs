//! Exports that are broken off, and gone on with.

use super::*;
use crate::{BoxAt, Frames, Key, Label, Standing, Value};
use label_core::{FrameRange, LabelKind};

fn clip(number: u32) -> Clip {
    let at = BoxAt {
        x: 1.5,
        y: 2.0,
        width: 30.0,
        height: 40.0,
    };
    let key = |frame| Key {
        frame,
        at,
        confidence: 0.9,
    };
    Clip {
        id: format!("rig:1048577:{number}"),
        stem: format!("rig_1048577_{number}"),
        rig: "rig".to_owned(),
        name: None,
        width: 640,
        height: 480,
        codec: None,
        sha256: None,
        utc_us: None,
        clock: None,
        closed: true,
        frames: Frames {
            count: 100,
            ..Frames::default()
        },
        beside: crate::Beside::Nothing,
        labels: vec![Label {
            id: format!("rig:1048577:{number}:0"),
            kind: LabelKind::BboxPerson.into(),
            track: Some(1),
            driver: false,
            frames: FrameRange::new(0, 99),
            standing: Standing::Machine,
            value: Some(Value::Boxes(vec![key(0), key(99)])),
            reason: None,
            cause: None,
            confidence: Some(0.9),
            model: None,
            by: None,
            at_us: None,
            signs: None,
        }],
    }
}

fn plan(format: Format) -> Plan {
    Plan {
        format,
        density: Density::Keyframes,
        subsets: vec!["all".to_owned()],
        selection: serde_json::json!({"labels": "both"}),
    }
}

fn whole(place: &Path, format: Format) {
    let mut export = Export::begin(place, plan(format)).unwrap();
    for number in 0..4 {
        export.clip(&clip(number), "all").unwrap();
    }
    export.finish().unwrap();
}

/// An export that notes how far it came after the second clip, and is broken off after the third.
fn broken(place: &Path, format: Format) {
    let mut export = Export::begin(place, plan(format)).unwrap();
    export.clip(&clip(0), "all").unwrap();
    export.output.forget_noting();
    export.clip(&clip(1), "all").unwrap();
    export.clip(&clip(2), "all").unwrap();
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(
                path.to_string_lossy().into_owned(),
                std::fs::read(&path).unwrap(),
            );
        }
    }
    found
}

fn named(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let prefix = folder.to_string_lossy().into_owned();
    let files = files(folder).into_iter();
    files
        .map(|(path, bytes)| (path.replace(&prefix, ""), bytes))
        .collect()
}

#[test]
fn an_export_that_was_broken_off_ends_as_one_that_was_not() {
    for format in Format::ALL {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        whole(&one, format);
        broken(&other, format);
        assert!(!other.exists(), "nothing has its name before it is whole");
        let again = Export::begin(&other, plan(format)).unwrap();
        assert_eq!(again.resumed(), Some(2), "{format:?}");
        drop(again);
        whole(&other, format);
        assert!(
            named(&one) == named(&other),
            "{format:?} differs after it was gone on with"
        );
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            2,
            "nothing is left beside them"
        );
    }
}

#[test]
fn labels_that_changed_meanwhile_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("set");
    broken(&place, Format::Csv);
    let mut export = Export::begin(&place, plan(Format::Csv)).unwrap();
    export.clip(&clip(0), "all").unwrap();
    let mut changed = clip(1);
    changed.labels[0].standing = Standing::Confirmed;
    let error = export.clip(&changed, "all").unwrap_err();
    assert!(matches!(error, FormatError::Changed(_)), "{error}");
    // Fewer clips than before are a change, too.
    let mut export = Export::begin(&place, plan(Format::Csv)).unwrap();
    export.clip(&clip(0), "all").unwrap();
    assert!(matches!(export.finish(), Err(FormatError::Changed(_))));
    Output::discard(&place).unwrap();
    whole(&place, Format::Csv);
}

#[test]
fn an_unfinished_export_of_something_else_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("set");
    broken(&place, Format::Csv);
    let error = Export::begin(&place, plan(Format::Coco)).unwrap_err();
    assert!(matches!(error, FormatError::OtherSelection(_)), "{error}");
}
