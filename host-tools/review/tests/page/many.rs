//! One verdict on many labels; undo and redo.

use crate::browser::SHIFT;
use crate::desk::{Desk, SAVED, said};
use label_core::LabelKind;
use label_store::{Judgement, QueueFilter, ReviewState};

async fn states(desk: &Desk, kind: LabelKind) -> Vec<Option<ReviewState>> {
    desk.page.until(SAVED).await;
    let filter = QueueFilter {
        kinds: vec![kind.into()],
        ..QueueFilter::default()
    };
    let queue = desk.store.queue(&filter).await.unwrap();
    queue
        .items
        .into_iter()
        .map(|item| item.label.state)
        .collect()
}

#[tokio::test]
async fn many_alike_labels_are_accepted_taken_back_and_accepted_again_as_one() {
    let desk = Desk::open("Events").await;
    desk.show(LabelKind::Blink, 112).await;
    desk.page.press("s").await;
    desk.page
        .until("document.querySelectorAll('.row.chosen').length === 11")
        .await;
    desk.page.press("a").await;
    desk.page
        .until("document.querySelectorAll('.row.accepted').length === 11")
        .await;
    let all = |state| vec![Some(state); 11];
    assert_eq!(
        states(&desk, LabelKind::Blink).await,
        all(ReviewState::Accepted)
    );
    // The one event of another kind was not among them.
    assert_eq!(
        states(&desk, LabelKind::LongClosure).await,
        [Some(ReviewState::Waiting)]
    );

    desk.page.press("u").await;
    desk.page
        .until("document.querySelectorAll('.row.accepted').length === 0")
        .await;
    assert_eq!(
        states(&desk, LabelKind::Blink).await,
        all(ReviewState::Waiting)
    );

    desk.page.chord(SHIFT, 'u').await;
    desk.page
        .until("document.querySelectorAll('.row.accepted').length === 11")
        .await;
    assert_eq!(
        states(&desk, LabelKind::Blink).await,
        all(ReviewState::Accepted)
    );
    desk.close().await;
}

#[tokio::test]
async fn a_verdict_is_taken_back_and_brought_back_with_its_cause() {
    let desk = Desk::open("Events").await;
    let key = desk.show(LabelKind::Blink, 112).await;
    desk.page.press("r1").await;
    desk.page.press("u").await;
    desk.page.chord(SHIFT, 'u').await;
    desk.page
        .until("document.querySelector('.state.rejected')?.textContent.includes('wrong place')")
        .await;
    let history = desk.said_of(&key).await;
    assert_eq!(
        said(&history),
        [
            (Judgement::Reject, Some("wrong-place")),
            (Judgement::Withdraw, None),
            (Judgement::Restore, None)
        ]
    );
    desk.close().await;
}

#[tokio::test]
async fn the_queue_holds_what_the_filter_asks_for() {
    let desk = Desk::open("Attributes").await;
    desk.page
        .until("document.querySelectorAll('.queue .row').length === 27")
        .await;
    desk.page.press("f").await;
    desk.page
        .ask(
            "const kind = [...document.querySelectorAll('.filters label')]
                .find((one) => one.textContent.startsWith('order')).querySelector('select');
             kind.value = 'doubt'; kind.dispatchEvent(new Event('change', { bubbles: true }));",
        )
        .await;
    // The least certain comes first.
    desk.page
        .until(
            "(() => { const sure = [...document.querySelectorAll('.row .sure')].map((one) => parseInt(one.textContent));
             return sure.length === 27 && sure.every((one, i) => i === 0 || sure[i - 1] <= one); })()",
        )
        .await;
    desk.close().await;
}
