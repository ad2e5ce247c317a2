//! A relay before a server, which a test makes stand still, refuse, or go away at a moment of its choice.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How often a relay that stands still looks whether it may go on.
const LOOK: Duration = Duration::from_millis(5);

/// A relay. Its threads end with the test's process.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens, on the loopback address.
    pub port: u16,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    stands_still: AtomicBool,
    admitted: AtomicU32,
    refused: AtomicU32,
    departure: Mutex<Option<Departure>>,
    /// How often the server went away. A connection knows how often it had when it began.
    departures: AtomicU32,
}

/// When a server goes away, as its clients see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// Before it gets what has this text in it.
    Before(&'static str),
    /// After it got the commit of a transaction that has this text in it; the answer is lost.
    AfterCommitOf(&'static str),
}

impl Relay {
    /// Begins to relay to a port of this machine.
    pub fn before(port: u16) -> Relay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let state = Arc::new(State {
            stands_still: AtomicBool::new(false),
            admitted: AtomicU32::new(u32::MAX),
            refused: AtomicU32::new(0),
            departure: Mutex::new(None),
            departures: AtomicU32::new(0),
        });
        let relay = Relay { port: listener.local_addr().unwrap().port(), state: Arc::clone(&state) };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let taken = state
                    .admitted
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                match (taken, TcpStream::connect((Ipv4Addr::LOCALHOST, port))) {
                    (Ok(_), Ok(server)) => {
                        let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                        let (own, of_answers) = (state.departures.load(Ordering::SeqCst), Arc::clone(&state));
                        let of_requests = Arc::clone(&state);
                        thread::spawn(move || of_requests.pass_requests(own, from, to));
                        thread::spawn(move || of_answers.pass_answers(own, server, client));
                    }
                    // Dropped, and so closed.
                    _ => drop(state.refused.fetch_add(1, Ordering::SeqCst)),
                }
            }
        });
        relay
    }

    /// Lets nothing more through on any connection, or goes on; connections stay open.
    pub fn stand_still(&self, stands_still: bool) {
        self.state.stands_still.store(stands_still, Ordering::SeqCst);
    }

    /// Takes so many more connections and closes all after them at once.
    pub fn admit(&self, connections: u32) {
        self.state.admitted.store(connections, Ordering::SeqCst);
    }

    /// Tells how many connections were closed at once.
    pub fn refused(&self) -> u32 {
        self.state.refused.load(Ordering::SeqCst)
    }
}

impl Relay {
    /// Lets the server go away once, at a moment: then every connection ends, and further ones are closed at once until some are
    /// admitted again.
    pub fn depart(&self, departure: Departure) {
        *self.state.departure.lock().unwrap() = Some(departure);
    }

    /// Tells whether it went away.
    pub fn is_departed(&self) -> bool {
        self.state.departures.load(Ordering::SeqCst) > 0
    }
}

impl State {
    fn is_gone(&self, own: u32) -> bool {
        self.departures.load(Ordering::SeqCst) != own
    }

    /// Tells whether the server goes away at what a client sends. `is_meant`: the text came in the transaction that is open.
    fn goes_away(&self, bytes: &[u8], is_meant: &mut bool) -> Option<Departure> {
        let has = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let mut departure = self.departure.lock().unwrap();
        let fired = match (*departure)? {
            Departure::Before(text) => has(text),
            Departure::AfterCommitOf(text) => {
                *is_meant |= has(text);
                *is_meant && has("COMMIT")
            }
        };
        if !fired {
            return None;
        }
        self.admitted.store(0, Ordering::SeqCst);
        self.departures.fetch_add(1, Ordering::SeqCst);
        departure.take()
    }

    fn wait_while_still(&self) {
        while self.stands_still.load(Ordering::SeqCst) {
            thread::sleep(LOOK);
        }
    }

    fn pass_requests(&self, own: u32, mut from: TcpStream, mut to: TcpStream) {
        let (mut bytes, mut is_meant) = (vec![0; 65_536], false);
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            self.wait_while_still();
            let departure = self.goes_away(&bytes[..count], &mut is_meant);
            let is_got = !self.is_gone(own) || matches!(departure, Some(Departure::AfterCommitOf(_)));
            if !is_got || to.write_all(&bytes[..count]).is_err() || self.is_gone(own) {
                break;
            }
        }
        // Either may be gone already.
        if self.is_gone(own) {
            let _ = from.shutdown(Shutdown::Both);
        }
        let _ = to.shutdown(Shutdown::Write);
    }

    fn pass_answers(&self, own: u32, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = vec![0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            self.wait_while_still();
            // Read to the end and lost: the server does what it got.
            if !self.is_gone(own) && to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        // The other side may be gone already.
        let _ = to.shutdown(Shutdown::Write);
    }
}
