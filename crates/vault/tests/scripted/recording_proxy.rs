//! A proxy that records the bytes of the requests.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use envlock_testkit::ScriptedServer;

/// A proxy in front of a scripted server that records the requests.
pub(crate) struct RecordingProxy {
    pub(crate) url: String,
    recorded: Arc<Mutex<Vec<u8>>>,
}

impl RecordingProxy {
    pub(crate) fn in_front_of(script: &ScriptedServer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let behind = script.url().trim_start_matches("http://").to_owned();
        let recorded = Arc::<Mutex<Vec<u8>>>::default();
        let record = Arc::clone(&recorded);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&behind) else { break };
                let (requests, answers) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap());
                let record = Arc::clone(&record);
                thread::spawn(move || {
                    forward(requests, server, |bytes| record.lock().unwrap().extend(bytes));
                });
                thread::spawn(move || forward(answers, client, |_| {}));
            }
        });
        Self { url, recorded }
    }

    /// The lines of the requests and their headers, in the order of arrival.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.recorded.lock().unwrap()).into_owned();
        text.split("\r\n").map(str::to_owned).collect()
    }

    /// The number of lines that end in `line`. A body ends without a line break, so the next request
    /// starts on the same line.
    pub(crate) fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|found| found.ends_with(line)).count()
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, mut record: impl FnMut(&[u8])) {
    let mut some = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut some) {
        record(&some[..length]);
        if to.write_all(&some[..length]).is_err() {
            break;
        }
    }
    // The other side may have closed the connection already.
    let _ = to.shutdown(Shutdown::Write);
}
