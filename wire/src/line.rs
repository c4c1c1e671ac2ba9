//! A client's TCP socket, which the runtime watches only while its session sleeps.
//!
//! A socket that is watched wakes a thread of the runtime for every message, also where the session itself is looking and has it already:
//! that thread takes the client's core, finds nothing to do and sleeps again. So the socket of a client that answers within looks is taken out
//! of the runtime's hands, and given back when a look finds nothing.
//!
//! L1: before a session sleeps its socket is watched, and was read in vain after that began.
//! L2: bytes go in order, by the session's own task only.
//! Never: knows what the bytes mean.

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::lookout::{AtWork, look, new_name, note_message};

/// Looks in a row that must find something before the socket is left alone: a change costs two calls of the kernel.
const FOUND_MIN: u32 = 8;

/// See the module.
#[derive(Debug)]
pub(crate) struct Line {
    state: State,
    /// Whether a read begins with a look.
    looks: bool,
    /// Looks in a row that found something.
    found: u32,
    /// As the lookout knows it.
    name: u32,
    /// From the arrival of a message to the sleep after its answer.
    at_work: Option<AtWork>,
}

#[derive(Debug)]
enum State {
    Watched(TcpStream),
    Alone(std::net::TcpStream),
    /// The runtime did not take it, or it was on its way there.
    Broken,
}

impl Line {
    pub fn new(socket: TcpStream) -> Self {
        Self { state: State::Watched(socket), looks: false, found: 0, name: new_name(), at_work: None }
    }

    /// Whether reads from now on begin with a look for bytes.
    pub fn look_first(&mut self, looks: bool) {
        self.looks = looks;
    }

    fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        match &self.state {
            State::Watched(socket) => Ok(socket.as_fd()),
            State::Alone(socket) => Ok(socket.as_fd()),
            State::Broken => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The socket in the runtime's hands.
    fn watched(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if let State::Alone(_) = self.state
            && let State::Alone(socket) = std::mem::replace(&mut self.state, State::Broken)
        {
            self.state = State::Watched(TcpStream::from_std(socket)?);
        }
        match &mut self.state {
            State::Watched(socket) => Ok(Pin::new(socket)),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn leave_alone(&mut self) -> io::Result<()> {
        if let State::Watched(_) = self.state
            && let State::Watched(socket) = std::mem::replace(&mut self.state, State::Broken)
        {
            self.state = State::Alone(socket.into_std()?);
        }
        Ok(())
    }

    /// A look; `None`: nothing came, or none was taken.
    fn looked(&mut self, buffer: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        let bytes = match self.fd().map(|fd| look(fd, buffer)) {
            Ok(looked) => looked?,
            Err(error) => Err(error),
        };
        self.at_work.get_or_insert_with(AtWork::begin);
        note_message(self.name);
        self.found = self.found.saturating_add(1);
        Some(bytes.and_then(|()| if self.found >= FOUND_MIN { self.leave_alone() } else { Ok(()) }))
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.looks {
            if let Some(looked) = self.looked(buffer) {
                return Poll::Ready(looked);
            }
            self.found = 0;
        }
        self.at_work = None;
        // Bytes that came since the look make it ready at once (L1).
        ready!(self.watched()?.poll_read(cx, buffer))?;
        note_message(self.name);
        self.at_work = Some(AtWork::begin());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let State::Alone(socket) = &mut self.state {
            match socket.write(bytes) {
                // The client does not read: the runtime will tell when it does.
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                written => return Poll::Ready(written),
            }
        }
        self.watched()?.poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.state {
            State::Alone(socket) => Poll::Ready(socket.shutdown(Shutdown::Write)),
            _ => self.watched()?.poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> std::thread::JoinHandle<T> {
        std::thread::Builder::new().name("client".to_owned()).spawn(work).unwrap()
    }

    /// A line left alone, and its client.
    async fn pair() -> (Line, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut line = Line::new(listener.accept().await.unwrap().0);
        line.look_first(true);
        line.leave_alone().unwrap();
        assert!(matches!(line.state, State::Alone(_)));
        (line, client)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_line_left_alone_sleeps_and_is_woken() {
        let (mut line, mut client) = pair().await;
        let late = beside(move || {
            std::thread::sleep(Duration::from_millis(50));
            client.write_all(b"late").unwrap();
            std::thread::sleep(Duration::from_millis(50));
        });
        let mut bytes = Vec::with_capacity(64);
        assert_eq!(line.read_buf(&mut bytes).await.unwrap(), 4);
        assert_eq!(bytes, b"late");
        assert!(matches!(line.state, State::Watched(_)), "L1");
        late.join().unwrap();
        line.leave_alone().unwrap();
        assert_eq!(line.read_buf(&mut bytes).await.unwrap(), 0, "the client closed");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_line_left_alone_writes_no_faster_than_its_client_reads() {
        let (mut line, mut client) = pair().await;
        let sent: Vec<u8> = (0..16_u32 << 20).map(|at| (at % 251) as u8).collect();
        let reader = beside(move || {
            std::thread::sleep(Duration::from_millis(50));
            let mut got = Vec::new();
            client.read_to_end(&mut got).unwrap();
            got
        });
        line.write_all(&sent).await.unwrap();
        assert!(matches!(line.state, State::Watched(_)), "16 MiB do not fit a socket's buffer");
        line.leave_alone().unwrap();
        line.shutdown().await.unwrap();
        assert!(reader.join().unwrap() == sent, "L2");
    }

    /// Whatever looks find, and however the socket is held meanwhile.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_byte_is_read_once_and_in_order() {
        let (mut line, mut client) = pair().await;
        let writer = beside(move || {
            let mut echo = [0; 4];
            for n in 0..2_000_u32 {
                client.write_all(&n.to_be_bytes()).unwrap();
                client.read_exact(&mut echo).unwrap();
                assert_eq!(u32::from_be_bytes(echo), n);
                if n % 500 == 0 {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        });
        for n in 0..2_000_u32 {
            assert_eq!(line.read_u32().await.unwrap(), n);
            line.write_all(&n.to_be_bytes()).await.unwrap();
        }
        writer.join().unwrap();
    }
}
