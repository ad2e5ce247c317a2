//! The control socket: a file in the data directory, for its owner alone.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// The name of the socket in the data directory.
pub const SOCKET_NAME: &str = "control.sock";

/// Bytes of a path that fit into the address of a socket on every system: Linux takes 107, others 103.
const ADDRESS_BYTES_MAX: usize = 103;

/// A socket that listens in a data directory. Dropped, it takes its file away.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    owner: u32,
}

impl ControlSocket {
    /// Listens in a data directory whose lock this process holds. A socket that was left behind is replaced: nobody
    /// else can be listening on it.
    ///
    /// # Errors
    /// The directory can't hold a socket, or something else has its name.
    pub fn bind(directory: &Path) -> io::Result<Self> {
        let path = directory.join(SOCKET_NAME);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.file_type().is_socket() => fs::remove_file(&path)?,
            Ok(_) => {
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is there and is no socket"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = at_address(directory, |address| StdUnixListener::bind(address))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let owner = fs::symlink_metadata(&path)?.uid();
        Ok(Self { listener: UnixListener::from_std(listener)?, path, owner })
    }

    /// Waits for a connection of the directory's owner or of root. Anybody else's is closed at once; the file's mode
    /// keeps them away already, except in the instant before it is set.
    ///
    /// # Errors
    /// The system has no room for another connection.
    pub async fn accept(&self) -> io::Result<UnixStream> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            let peer = stream.peer_cred()?.uid();
            if peer == self.owner || peer == 0 {
                return Ok(stream);
            }
            tracing::warn!(user.id = peer, "somebody else's connection to the control socket was closed");
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "the control socket could not be removed");
        }
    }
}

/// Connects to the server that holds a data directory; `None` when there is none that listens.
///
/// # Errors
/// There is a socket, and this user may not use it.
pub fn connect(directory: &Path) -> io::Result<Option<UnixStream>> {
    match at_address(directory, |address| StdUnixStream::connect(address)) {
        Ok(stream) => {
            stream.set_nonblocking(true)?;
            UnixStream::from_std(stream).map(Some)
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Works with the address of a directory's socket. A path too long for one goes by way of the open directory.
fn at_address<T>(directory: &Path, work: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let path = directory.join(SOCKET_NAME);
    if path.as_os_str().len() <= ADDRESS_BYTES_MAX {
        return work(&path);
    }
    let opened = File::open(directory)?;
    work(&Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string()).join(SOCKET_NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of a test, removed with it.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("casement-socket-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    #[tokio::test]
    async fn a_socket_is_the_owners_alone_and_goes_with_its_server() {
        let directory = Directory::new("short");
        assert!(connect(&directory.0).unwrap().is_none());
        let socket = ControlSocket::bind(&directory.0).unwrap();
        let mode = fs::symlink_metadata(directory.0.join(SOCKET_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let client = connect(&directory.0).unwrap();
        assert!(client.is_some());
        socket.accept().await.unwrap();
        drop(socket);
        assert!(!directory.0.join(SOCKET_NAME).exists());
        assert!(connect(&directory.0).unwrap().is_none());
    }

    #[tokio::test]
    async fn a_path_of_any_length_will_do() {
        let directory = Directory::new("long");
        let deep = directory.0.join("d".repeat(200)).join("e".repeat(200));
        fs::create_dir_all(&deep).unwrap();
        let socket = ControlSocket::bind(&deep).unwrap();
        let client = connect(&deep).unwrap();
        assert!(client.is_some());
        socket.accept().await.unwrap();
    }

    #[tokio::test]
    async fn a_socket_that_was_left_behind_is_replaced_and_another_file_is_not() {
        let directory = Directory::new("stale");
        drop(StdUnixListener::bind(directory.0.join(SOCKET_NAME)).unwrap());
        assert!(directory.0.join(SOCKET_NAME).exists());
        assert!(connect(&directory.0).unwrap().is_none());
        drop(ControlSocket::bind(&directory.0).unwrap());
        fs::write(directory.0.join(SOCKET_NAME), "mine").unwrap();
        assert!(ControlSocket::bind(&directory.0).is_err());
        assert_eq!(fs::read(directory.0.join(SOCKET_NAME)).unwrap(), b"mine");
    }
}
