//! Requests through proxies.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use envlock_channel::{ProxyServer, ProxyServers, Sources};
use url::Url;

use crate::support::{TestClients, records, request, small_mirror};

/// A host that no name server knows, with the channel of the test mirror.
const CHANNEL: &str = "http://lab.invalid/anaconda/cloud/conda-forge/";

/// A SOCKS 5 proxy that connects to `target` for every host. Returns its URL and the requested
/// hosts.
fn socks_proxy(target: SocketAddr) -> (Url, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("socks5h://{}", listener.local_addr().unwrap()).parse().unwrap();
    let hosts = Arc::new(Mutex::new(Vec::new()));
    let requested = Arc::clone(&hosts);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let requested = Arc::clone(&requested);
            std::thread::spawn(move || forward(client.unwrap(), target, &requested));
        }
    });
    (url, hosts)
}

/// Serves one connection (RFC 1928).
fn forward(mut client: TcpStream, target: SocketAddr, requested: &Mutex<Vec<String>>) {
    let mut read = |length: usize| {
        let mut bytes = vec![0; length];
        client.read_exact(&mut bytes).map(|()| bytes)
    };
    let Ok(methods) = read(2).and_then(|head| read(usize::from(head[1]))) else { return };
    assert!(methods.contains(&0), "a client without a login");
    client.write_all(&[5, 0]).unwrap();
    let mut read = |length: usize| {
        let mut bytes = vec![0; length];
        client.read_exact(&mut bytes).unwrap();
        bytes
    };
    assert_eq!(read(4)[3], 3, "the proxy resolves the name");
    let length = read(1)[0];
    let host = String::from_utf8(read(usize::from(length))).unwrap();
    read(2);
    requested.lock().unwrap().push(host);
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
    let mut server = TcpStream::connect(target).unwrap();
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut server, &mut client);
    let _ = client.shutdown(std::net::Shutdown::Write);
}

fn with_proxy(proxy: &Url, except: Option<&str>) -> TestClients {
    let mut clients = TestClients::for_urls(&[]);
    clients.settings.sources = Sources::new(Vec::new(), true);
    clients.settings.proxies = true;
    clients.settings.proxy_servers = ProxyServers {
        by_scheme: BTreeMap::from([("http".to_owned(), ProxyServer::Url(proxy.clone()))]),
        except: except.map(str::to_owned),
    };
    clients
}

#[tokio::test]
async fn a_socks_proxy_is_used_for_indexes_and_archives() {
    let mirror = small_mirror();
    let target = mirror.url().trim_start_matches("http://").parse().unwrap();
    let (proxy, hosts) = socks_proxy(target);
    let clients = with_proxy(&proxy, None);
    let indexes = clients.indexes(&[request("lab", CHANNEL)]).await.unwrap();
    let found = records(&indexes, &["numpy"]);
    clients.packages(&found).await.unwrap();
    let hosts = hosts.lock().unwrap();
    assert!(!hosts.is_empty() && hosts.iter().all(|host| host == "lab.invalid"), "{hosts:?}");
}

#[tokio::test]
async fn a_host_in_no_proxy_is_reached_without_the_configured_proxy() {
    let proxy = small_mirror();
    let url = proxy.url().parse().unwrap();
    for except in ["lab.invalid", "other, .invalid", "*"] {
        let clients = with_proxy(&url, Some(except));
        assert!(clients.indexes(&[request("lab", CHANNEL)]).await.is_err(), "{except}");
        assert!(proxy.requests("*").is_empty(), "{except}");
    }
    let clients = with_proxy(&url, Some("other.invalid"));
    clients.indexes(&[request("lab", CHANNEL)]).await.unwrap();
    assert!(!proxy.requests("*").is_empty());
}
