//! A relay before a server, which a test makes stand still or refuse.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// How often a relay that stands still looks whether it may go on.
const LOOK: Duration = Duration::from_millis(5);

/// A relay. Its threads end with the test's process.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens, on the loopback address.
    pub port: u16,
    stands_still: Arc<AtomicBool>,
    admitted: Arc<AtomicU32>,
    refused: Arc<AtomicU32>,
}

impl Relay {
    /// Begins to relay to a port of this machine.
    pub fn before(port: u16) -> Relay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let relay = Relay {
            port: listener.local_addr().unwrap().port(),
            stands_still: Arc::default(),
            admitted: Arc::new(AtomicU32::new(u32::MAX)),
            refused: Arc::default(),
        };
        let stands_still = Arc::clone(&relay.stands_still);
        let (admitted, refused) = (Arc::clone(&relay.admitted), Arc::clone(&relay.refused));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let taken =
                    admitted.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                match (taken, TcpStream::connect((Ipv4Addr::LOCALHOST, port))) {
                    (Ok(_), Ok(server)) => {
                        pass(client.try_clone().unwrap(), server.try_clone().unwrap(), &stands_still);
                        pass(server, client, &stands_still);
                    }
                    // Dropped, and so closed.
                    _ => drop(refused.fetch_add(1, Ordering::SeqCst)),
                }
            }
        });
        relay
    }

    /// Lets nothing more through on any connection, or goes on; connections stay open.
    pub fn stand_still(&self, stands_still: bool) {
        self.stands_still.store(stands_still, Ordering::SeqCst);
    }

    /// Takes so many more connections and closes all after them at once.
    pub fn admit(&self, connections: u32) {
        self.admitted.store(connections, Ordering::SeqCst);
    }

    /// Tells how many connections were closed at once.
    pub fn refused(&self) -> u32 {
        self.refused.load(Ordering::SeqCst)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, stands_still: &Arc<AtomicBool>) {
    let stands_still = Arc::clone(stands_still);
    thread::spawn(move || {
        let mut bytes = vec![0; 65_536];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            while stands_still.load(Ordering::SeqCst) {
                thread::sleep(LOOK);
            }
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        // The other side may be gone already.
        let _ = to.shutdown(Shutdown::Write);
    });
}
