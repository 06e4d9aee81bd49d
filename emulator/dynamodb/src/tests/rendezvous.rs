//! A rendezvous: calls that wait for each other.

use super::*;

async fn race(database: &TestDatabase, phones: &[&str], order: u64) -> Vec<bool> {
    let client = database.client();
    let marks = phones.iter().map(|phone| vec![(*phone).to_owned()]).collect();
    let rendezvous =
        Rendezvous::new("dynamodb.TransactWriteItems", FaultTarget::default(), marks, order);
    database.faults().set_rendezvous(rendezvous.clone());
    let calls = futures::future::join_all(phones.iter().map(|phone| {
        let (client, rendezvous) = (client.clone(), rendezvous.clone());
        async move {
            // All put the same row, each with its own phone.
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
            rendezvous.participant_ended();
            yes
        }
    }));
    let booked = until("the end of all calls of the rendezvous", calls).await;
    assert_eq!(rendezvous.missed(), None);
    booked
}

#[tokio::test]
async fn the_order_decides_who_wins_and_every_order_is_possible() {
    for (order, winner) in [(0, 0), (1, 1), (2, 2), (3, 0)] {
        let database = TestDatabase::start().await;
        let booked = race(&database, &["+1", "+2", "+3"], order).await;
        let expected: Vec<bool> = (0..3).map(|n| n == winner).collect();
        assert_eq!(booked, expected, "order {order}");
    }
}

#[tokio::test]
async fn a_call_that_gives_up_waiting_never_reaches_the_engine() {
    let database = TestDatabase::start().await;
    let client = database.client();
    let rendezvous =
        Rendezvous::new("dynamodb.PutItem", FaultTarget::default(), vec![vec![]; 2], 0);
    database.faults().set_rendezvous(rendezvous.clone());
    let put = client.put_item().table_name("Repairs_Opt_Outs").item("phone", s("+1")).send();
    assert!(tokio::time::timeout(Duration::from_millis(50), put).await.is_err());
    let mut changes = database.journal().watch();
    while database.calls()[0].outcome.is_none() {
        until("the end of the abandoned call", changes.changed()).await.unwrap();
    }
    assert_eq!(rendezvous.missed().map(|missed| missed.arrived), Some(0));
    assert_eq!(database.database().rows("OptOuts").await.unwrap().len(), 0);
    rendezvous.participant_ended();
    let put = client.put_item().table_name("Repairs_Opt_Outs").item("phone", s("+1")).send();
    put.await.unwrap();
}
