//! What a rig is asked for: the button, what is on its way, and what arrived.

use crate::browser::Browser;
use crate::desk::{Desk, Host};
use crate::people::{PASSWORD, sign_in};
use crate::synthetic_drive::Rig;
use label_core::CaptureTime;
use label_core::LabelKind;
use label_core::wire::{AskedPicture, Chunk, KeyPicture};
use label_store::{LabelStore, RequestState, Role, Wanted, now_us};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

fn jpeg(gray: u8) -> Vec<u8> {
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 90)
        .encode(&[gray; 64 * 48], 64, 48, jpeg_encoder::ColorType::Luma)
        .unwrap();
    jpeg
}

const SAYS: &str = "document.querySelector('.from-rig [role=status]')?.textContent";

#[tokio::test]
async fn a_reviewer_asks_for_the_frames_of_a_label_sees_them_arrive_and_leafs_through_them() {
    let desk = Desk::open("Events").await;
    let key = desk.show(LabelKind::Blink, 112).await;
    desk.page.click_button("Ask the rig for its frames").await;
    desk.page
        .until(&format!("{SAYS} === 'asked: waiting for the rig'"))
        .await;
    let name = label_store::label_key_text(&key);
    let asked = desk.store.requests(Some(&name), None).await.unwrap();
    let Wanted::Frames(_, (first, _)) = asked[0].wanted else {
        panic!("frames were asked for")
    };
    assert_eq!((asked.len(), first), (1, 97));

    let pictures = [jpeg(40), jpeg(200)];
    let whole = pictures.concat();
    let digest = Sha256::digest(&whole);
    let digest = digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    let listed = [110, 112].into_iter().zip(&pictures);
    let mut chunk = Chunk {
        bytes: whole.len() as u64,
        sha256: digest.as_str().try_into().unwrap(),
        offset: 0,
        pictures: listed
            .map(|(frame, jpeg)| {
                (
                    frame,
                    CaptureTime(i64::from(frame) * 40_000),
                    jpeg.len() as u32,
                )
            })
            .collect(),
    };
    let half = whole.len() / 2;
    let take = async |chunk: &Chunk, part: &[u8]| {
        let question = (asked[0].request, chunk.offset);
        let taken = desk.store.take_part(question, chunk, part, now_us());
        taken.await.unwrap();
    };
    take(&chunk, &whole[..half]).await;
    desk.page
        .until(&format!("/^arriving: (49|50) %$/.test({SAYS})"))
        .await;
    (chunk.offset, chunk.pictures) = (half as u64, heapless::Vec::new());
    take(&chunk, &whole[half..]).await;
    desk.page
        .until(&format!("{SAYS} === 'here: 2 frames'"))
        .await;
    let shown = "document.querySelector('.from-rig img')";
    desk.page
        .until(&format!("{shown}?.naturalWidth === 64"))
        .await;
    desk.page
        .until(&format!("{shown}.alt === 'Frame 110'"))
        .await;
    desk.page
        .ask(
            "const at = document.querySelector('.from-rig input');
             at.value = 1; at.dispatchEvent(new Event('input', { bubbles: true }));",
        )
        .await;
    desk.page
        .until(&format!("{shown}.alt === 'Frame 112'"))
        .await;
    desk.close().await;
}

#[tokio::test]
async fn a_lead_asks_a_rig_for_a_picture_a_reviewer_may_not_and_a_refusal_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("labels.db");
    let store = LabelStore::open(&database).await.unwrap();
    let mut rig = Rig::online(&store).await;
    rig.open().await;
    let hash = review::hash_password(PASSWORD).unwrap();
    for (name, role) in [("lea", Role::Lead), ("ann", Role::Reviewer)] {
        let made = store.add_user(name, role, &hash, "test", now_us());
        made.await.unwrap();
    }
    let host = Host::start(&database, "127.0.0.1:0".parse().unwrap());
    let address = format!("http://{}/#/fleet", host.address);
    let page = Browser::open(&address).await;
    sign_in(&page, "ann", PASSWORD).await;
    page.click_button("Ask for a picture").await;
    page.until(&format!("{SAYS} === 'this takes the role lead'"))
        .await;
    page.close().await;
    assert_eq!(store.requests(None, None).await.unwrap(), []);

    let page = Browser::open(&address).await;
    sign_in(&page, "lea", PASSWORD).await;
    page.click_button("Ask for a picture").await;
    page.until(&format!("{SAYS} === 'asked: waiting for the rig'"))
        .await;
    let asked = store.requests(None, None).await.unwrap();
    assert_eq!(asked[0].asked_by, "lea");
    store
        .refuse_request(asked[0].request, "no-frame", now_us())
        .await
        .unwrap();
    let because = "refused: the rig\\'s camera gives no frames now";
    page.until(&format!("{SAYS} === '{because}'")).await;

    page.click_button("Ask for a picture").await;
    page.until(&format!("{SAYS} === 'asked: waiting for the rig'"))
        .await;
    let again = store.requests(None, None).await.unwrap()[0].clone();
    assert_eq!(again.state, RequestState::Asked);
    let shows = AskedPicture {
        clip: 1,
        picture: KeyPicture {
            frame: 7,
            pts_us: CaptureTime(280_000),
            size: (64, 48),
            of: (64, 48),
        },
    };
    store
        .take_picture(
            again.request,
            (label_core::BootId::first(7), &shows),
            &jpeg(90),
            now_us(),
        )
        .await
        .unwrap();
    page.until("document.querySelector('.from-rig img')?.naturalWidth === 64")
        .await;
    page.close().await;
    host.vanish();
}
