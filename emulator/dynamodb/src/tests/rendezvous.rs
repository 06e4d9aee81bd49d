//! Calls that wait for each other.

use super::*;

async fn race(lab: &TestDatabase, phones: &[&str], order: u64) -> Vec<bool> {
    let client = lab.client();
    let marks = phones.iter().map(|phone| vec![(*phone).to_owned()]).collect();
    let meeting =
        Rendezvous::new("dynamodb.TransactWriteItems", FaultTarget::default(), marks, order);
    lab.faults.set_rendezvous(meeting.clone());
    let booked = futures::future::join_all(phones.iter().map(|phone| {
        let (client, meeting) = (client.clone(), meeting.clone());
        async move {
            // The same slot for all of them, and who they are.
            let slot = Put::builder()
                .table_name("Repairs_Lead_Log")
                .item("lead_id", s("slot"))
                .item("timestamp", n(1))
                .item("phone", s(phone))
                .condition_expression("attribute_not_exists(lead_id)")
                .build()
                .unwrap();
            let slot = TransactWriteItem::builder().put(slot).build();
            let transact = client.transact_write_items().transact_items(slot);
            let yes = transact.client_request_token(*phone).send().await.is_ok();
            meeting.participant_ended();
            yes
        }
    }))
    .await;
    assert_eq!(meeting.missed(), None);
    booked
}

#[tokio::test]
async fn the_order_decides_who_wins_and_every_order_can_be_had() {
    for (order, winner) in [(0, 0), (1, 1), (2, 2), (3, 0)] {
        let lab = TestDatabase::start().await;
        let booked = race(&lab, &["+1", "+2", "+3"], order).await;
        let expected: Vec<bool> = (0..3).map(|n| n == winner).collect();
        assert_eq!(booked, expected, "order {order}");
    }
}

#[tokio::test]
async fn a_call_that_gives_up_waiting_never_reaches_the_engine() {
    let lab = TestDatabase::start().await;
    let client = lab.client();
    let meeting = Rendezvous::new("dynamodb.PutItem", FaultTarget::default(), vec![vec![]; 2], 0);
    lab.faults.set_rendezvous(meeting.clone());
    let put = client.put_item().table_name("Repairs_Opt_Outs").item("phone", s("+1")).send();
    assert!(tokio::time::timeout(Duration::from_millis(50), put).await.is_err());
    let mut changes = lab.journal.watch();
    while lab.calls()[0].outcome.is_none() {
        changes.changed().await.unwrap();
    }
    assert_eq!(meeting.missed().map(|missed| missed.arrived), Some(0));
    assert_eq!(lab.database.rows("OptOuts").await.unwrap().len(), 0);
    meeting.participant_ended();
    let put = client.put_item().table_name("Repairs_Opt_Outs").item("phone", s("+1")).send();
    put.await.unwrap();
}
