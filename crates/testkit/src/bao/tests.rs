use serde_json::json;

use super::*;

#[test]
fn a_development_server_answers_and_is_gone_when_dropped() {
    let Some(bao) = Bao::dev() else { return left_out("a development server") };
    let (status, health) = bao.request("GET", "sys/health", &[], None);
    assert_eq!((status, &health["sealed"]), (200, &json!(false)));
    let url = bao.url().to_owned();
    drop(bao);
    let address = url.strip_prefix("http://").unwrap();
    assert!(std::net::TcpStream::connect(address).is_err());
}
