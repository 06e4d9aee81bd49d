//! The gateway for tests of others.

use super::*;
use crate::gateway::FakeGateway;

async fn get(gateway: &FakeGateway, path: &str) -> HttpResponse {
    let host = gateway.url().replace("http://", "");
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    HttpResponse::read(&mut stream).await
}

#[tokio::test]
async fn one_router_gets_every_path_through_events() {
    async fn path(
        OriginalUri(uri): OriginalUri,
        axum::Extension(context): axum::Extension<RequestContext>,
    ) -> String {
        let RequestContext::ApiGatewayV2(_) = context else { panic!("another format") };
        uri.path().to_owned()
    }
    let gateway = FakeGateway::start(Router::new().fallback(path)).await.unwrap();
    assert_eq!(get(&gateway, "/").await.body, b"/");
    assert_eq!(get(&gateway, "/a/b?c=d").await.body, b"/a/b");
    let names: Vec<_> = gateway.journal().since(0).into_iter().map(|e| e.name).collect();
    assert_eq!(names, ["http.GET /", "http.GET /{proxy+}"]);
}

#[tokio::test]
async fn functions_have_routes_of_their_own_and_a_clock() {
    let say = |text: &'static str| Router::new().fallback(move || async move { text });
    let gateway = FakeGateway::builder()
        .function_at("Leads", &[("GET", "/leads/{id}")], say("leads"))
        .function_at("Rest", &[("POST", "/rest")], say("rest"))
        .clock(clock())
        .start()
        .await
        .unwrap();
    assert_eq!(get(&gateway, "/leads/1").await.body, b"leads");
    assert_eq!(get(&gateway, "/rest").await.status, 404);
    let exchanges = gateway.journal().since(0);
    assert!(exchanges.iter().all(|exchange| exchange.at == NOW));
    let ExchangeDetail::Http { function, .. } = &exchanges[0].detail else { panic!() };
    assert_eq!(function.as_deref(), Some("Leads"));
}

#[tokio::test]
async fn dropping_it_stops_it() {
    let gateway = FakeGateway::start(Router::new()).await.unwrap();
    let address: SocketAddr = gateway.url().replace("http://", "").parse().unwrap();
    drop(gateway);
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
