//! What goes over the wire to a scripted server, to the letter.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use envlock_testkit::ScriptedServer;

/// A port before a script that passes everything on, and keeps what clients say.
pub(crate) struct Tap {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    pub(crate) fn before(script: &ScriptedServer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let behind = script.url().trim_start_matches("http://").to_owned();
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let keeps = Arc::clone(&heard);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&behind) else { break };
                let (asks, answers) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let keeps = Arc::clone(&keeps);
                thread::spawn(move || {
                    pass(asks, server, |said| keeps.lock().unwrap().extend(said));
                });
                thread::spawn(move || pass(answers, client, |_| {}));
            }
        });
        Self { url, heard }
    }

    /// The first lines of the requests and their headers, in the order in which they came.
    pub(crate) fn lines(&self) -> Vec<String> {
        let heard = String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned();
        heard.split("\r\n").map(str::to_owned).collect()
    }

    /// How often a client said this line. A body ends without a line break, and the next request
    /// goes on behind it.
    pub(crate) fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|said| said.ends_with(line)).count()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut keep: impl FnMut(&[u8])) {
    let mut some = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut some) {
        keep(&some[..length]);
        if to.write_all(&some[..length]).is_err() {
            break;
        }
    }
    // Whoever is on the other side may have gone already.
    let _ = to.shutdown(Shutdown::Write);
}
