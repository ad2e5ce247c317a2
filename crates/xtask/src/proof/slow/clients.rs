//! The slow clients: what each sort does a byte at a time, and how long the server lets it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use hyper::Request;
use hyper::header::HOST;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::streams;
use crate::server::Installation;

/// Connections from one address of the loopback.
const PER_ADDRESS: usize = 250;

/// How often a client that trickles sends or reads a byte.
pub const TRICKLE: Duration = Duration::from_secs(3);

/// The bytes of a body that comes as slowly as it may.
const LARGE_BODY: usize = 1024 * 1024;

/// What such a client sends after each [`TRICKLE`]: somewhat more than the least pace.
const PACED_BYTES: usize = 3 * 20 * 1024;

/// The receive buffer of a client that reads slowly, in bytes, so that its answer stays with the server.
const RECEIVE_BUFFER: u32 = 4096;

/// Cases in the list that it asks for.
const LISTED: usize = 10;

/// After so many connections there is a pause, as between clients that come by themselves.
const OPENED_AT_ONCE: usize = 50;

/// That pause.
const OPENING_PAUSE: Duration = Duration::from_millis(20);

/// What a slow client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Sort {
    /// It says nothing.
    Silent,
    /// It sends its head a byte at a time.
    Head,
    /// It sends its body a byte at a time.
    Body,
    /// It reads its answer a byte at a time.
    Reader,
    /// It sends one request, reads the answer and stays.
    Idle,
    /// It sends a large body as slowly as it may.
    Paced,
    /// As [`Sort::Idle`], by HTTP/2.
    StreamsIdle,
    /// As [`Sort::Body`], by HTTP/2, on several streams.
    StreamsBody,
    /// As [`Sort::Reader`], by HTTP/2, on several streams.
    StreamsReader,
    /// As [`Sort::Paced`], by HTTP/2, on several streams.
    StreamsPaced,
}

/// The sorts of HTTP/1, which take turns if the options say nothing.
pub const SORTS: [Sort; 5] = [Sort::Silent, Sort::Head, Sort::Body, Sort::Reader, Sort::Idle];

/// The slow connections.
#[derive(Debug)]
pub struct Slow {
    tasks: JoinSet<Lives>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub struct Shared {
    address: SocketAddr,
    /// The request up to its body, and the body.
    create: (Vec<u8>, Vec<u8>),
    list: Vec<u8>,
    /// A request up to a large body.
    large: Vec<u8>,
    /// A create and a list for HTTP/2.
    pub streamed: (Request<()>, Request<Bytes>),
    open: AtomicUsize,
    pub comes_again: AtomicBool,
}

/// How long the connections of one client lived.
#[derive(Debug)]
struct Lives {
    sort: Sort,
    lives: Vec<Duration>,
}

/// How the slow connections ended.
#[derive(Debug, Default)]
pub struct Cut {
    lives: BTreeMap<Sort, Vec<Duration>>,
    /// Those that were still open at the end.
    pub forgotten: usize,
}

/// Opens so many, of these sorts by turns, from several addresses of the loopback.
///
/// # Errors
/// When a request can't be built.
pub async fn open(
    installation: &Installation,
    address: SocketAddr,
    connections: usize,
    sorts: &[Sort],
) -> Result<Slow> {
    let body = b"{\"caseTmp\": \"General\", \"name\": \"never whole".repeat(100);
    let head = |operation: &str, bytes: usize| {
        format!(
            "POST /caseManagement/api/public/analytics/{}/{operation} HTTP/1.1\r\nHost: localhost\r\n\
             AccountId: {}\r\nauth: {}\r\nContent-Length: {bytes}\r\n\r\n",
            installation.stream, installation.account, installation.token
        )
        .into_bytes()
    };
    let query = json!({"limit": LISTED}).to_string();
    let streamed = |operation: &str| {
        let request = installation.request(operation, &json!({}))?;
        let (mut head, _) = request.into_parts();
        head.uri = format!("http://{address}{}", head.uri).parse()?;
        head.headers.remove(HOST);
        anyhow::Ok(head)
    };
    let shared = Arc::new(Shared {
        address,
        create: (head("createCase", body.len()), body),
        list: [head("getCases", query.len()), query.clone().into_bytes()].concat(),
        large: head("createCase", LARGE_BODY),
        streamed: (
            Request::from_parts(streamed("createCase")?, ()),
            Request::from_parts(streamed("getCases")?, Bytes::from(query)),
        ),
        open: AtomicUsize::new(0),
        comes_again: AtomicBool::new(true),
    });
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        let sort = sorts.get(number % sorts.len().max(1)).copied().unwrap_or(Sort::Silent);
        tasks.spawn(client(Arc::clone(&shared), sort, number));
        if number % OPENED_AT_ONCE == 0 {
            tokio::time::sleep(OPENING_PAUSE).await;
        }
    }
    Ok(Slow { tasks, shared })
}

impl Slow {
    /// How many are open now.
    pub fn held(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// Lets nobody come again and waits until all are cut off, at most so long.
    ///
    /// # Errors
    /// When a client was never cut off in the time before.
    pub async fn finish(mut self, wait_max: Duration) -> Result<Cut> {
        self.shared.comes_again.store(false, Ordering::Relaxed);
        let mut cut = Cut::default();
        let all = async {
            while let Some(lives) = self.tasks.join_next().await {
                let lives = lives?;
                cut.lives.entry(lives.sort).or_default().extend(lives.lives);
            }
            anyhow::Ok(())
        };
        // Those that are left then are the forgotten ones.
        if let Ok(ended) = tokio::time::timeout(wait_max, all).await {
            ended?;
        }
        cut.forgotten = self.tasks.len();
        ensure!(cut.count() > 0, "no slow connection was cut off");
        Ok(cut)
    }
}

impl Cut {
    /// How many were cut off.
    pub fn count(&self) -> usize {
        self.lives.values().map(Vec::len).sum()
    }

    /// The sorts with how long their connections lived at most.
    pub fn explained(&self) -> String {
        let sorts = self.lives.iter().map(|(sort, lives)| {
            let longest = lives.iter().max().copied().unwrap_or_default();
            format!("{sort:?} {} cut, the longest after {:.1} s", lives.len(), longest.as_secs_f64())
        });
        sorts.collect::<Vec<_>>().join("; ")
    }
}

/// One client: a connection, and another when it is cut off.
async fn client(shared: Arc<Shared>, sort: Sort, number: usize) -> Lives {
    let mut lives = Vec::new();
    loop {
        if let Ok(stream) = connect(shared.address, sort, number).await {
            let begun = Instant::now();
            shared.open.fetch_add(1, Ordering::Relaxed);
            live(&shared, sort, stream).await;
            shared.open.fetch_sub(1, Ordering::Relaxed);
            lives.push(begun.elapsed());
        } else {
            tokio::time::sleep(TRICKLE).await;
        }
        if !shared.comes_again.load(Ordering::Relaxed) {
            return Lives { sort, lives };
        }
    }
}

async fn connect(address: SocketAddr, sort: Sort, number: usize) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if sort == Sort::Reader {
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    }
    let host = u32::try_from(number / PER_ADDRESS).unwrap_or_default() + 2;
    let own = Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() & 0xff00_0000 | host);
    socket.bind((own, 0).into())?;
    socket.connect(address).await
}

/// Lives until the server ends the connection.
async fn live(shared: &Shared, sort: Sort, mut stream: TcpStream) {
    // Any error is the end of the connection, which is what is waited for.
    let _ended = match sort {
        Sort::Silent => read_all(&mut stream).await,
        Sort::Head => trickle(&mut stream, &shared.create.0).await,
        Sort::Body => match stream.write_all(&shared.create.0).await {
            Ok(()) => trickle(&mut stream, &shared.create.1).await,
            Err(error) => Err(error),
        },
        Sort::Reader => read_slowly(&mut stream, &shared.list).await,
        Sort::Paced => send_paced(&mut stream, &shared.large).await,
        Sort::StreamsIdle => return streams::idle(stream, shared).await,
        Sort::StreamsBody => return streams::bodies(stream, shared, Bytes::from_static(b" ")).await,
        Sort::StreamsPaced => {
            return streams::bodies(stream, shared, Bytes::from(vec![b' '; PACED_BYTES])).await;
        }
        Sort::StreamsReader => return streams::reader(stream, shared).await,
        Sort::Idle => match stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await {
            Ok(()) => read_all(&mut stream).await,
            Err(error) => Err(error),
        },
    };
}

async fn read_all(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut bytes = [0; 1024];
    while stream.read(&mut bytes).await? > 0 {}
    Ok(())
}

/// Sends a byte at a time until the server ends the connection.
async fn trickle(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    let (mut reading, mut writing) = stream.split();
    let mut answer = [0; 1024];
    for byte in bytes {
        writing.write_u8(*byte).await?;
        let until = tokio::time::sleep(TRICKLE);
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => break,
                read = reading.read(&mut answer) => if read? == 0 { return Ok(()) },
            }
        }
    }
    Ok(())
}

/// Sends a large body as slowly as it may until the server ends the connection.
async fn send_paced(stream: &mut TcpStream, head: &[u8]) -> std::io::Result<()> {
    let bytes = vec![b' '; PACED_BYTES];
    stream.write_all(head).await?;
    loop {
        stream.write_all(&bytes).await?;
        tokio::time::sleep(TRICKLE).await;
    }
}

/// Asks again and again and reads the answers a byte at a time.
async fn read_slowly(stream: &mut TcpStream, request: &[u8]) -> std::io::Result<()> {
    let (mut reading, mut writing) = stream.split();
    let asking = async {
        // As much as the server takes: each answer stays behind the one before. That the server has closed shows here;
        // what it wrote before could be read for hours.
        while writing.write_all(request).await.is_ok() {}
    };
    let taking = async {
        while reading.read_u8().await.is_ok() {
            tokio::time::sleep(TRICKLE).await;
        }
    };
    tokio::select! {
        () = asking => {}
        () = taking => {}
    }
    Ok(())
}
