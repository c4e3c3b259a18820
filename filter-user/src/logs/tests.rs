//! Logs beside one another.

use super::*;
use crate::access_log::Format;
use std::fs;
use std::os::unix::net::UnixDatagram;
use tempfile::TempDir;

/// A log of nginx or Apache in a file.
pub(super) fn combined(path: impl Into<PathBuf>) -> Log {
    let source = LogSource::File(path.into());
    Log { name: "a log".into(), source, format: Format::Combined, ports: Vec::new(), http3: true }
}

fn socket(path: &Path) -> Log {
    let source = LogSource::Socket { path: path.into(), group: None };
    Log { source, ..combined(path) }
}

fn next(incoming: &mut Incoming) -> Batch {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(incoming.recv()).unwrap()
}

/// Batches until one says that.
fn until(incoming: &mut Incoming, wanted: impl Fn(&Batch) -> bool) -> Batch {
    std::iter::repeat_with(|| next(incoming)).find(wanted).unwrap()
}

#[test]
fn a_file_with_much_to_catch_up_on_makes_no_socket_lose_lines() {
    let dir = TempDir::new().unwrap();
    let (file, path) = (dir.path().join("log"), dir.path().join("sock"));
    let mut incoming = start(&[combined(file.clone()), socket(&path)]).unwrap();
    until(&mut incoming, |batch| batch.log == 1 && batch.state == State::Reading);
    // Many times what may wait for the engine.
    fs::write(&file, "junk of a file\n".repeat(8 * QUEUE * PIECE / 15)).unwrap();
    until(&mut incoming, |batch| batch.log == 0 && batch.lines > 0);
    let sender = UnixDatagram::unbound().unwrap();
    for _ in 0..10 {
        // The engine is busy meanwhile.
        thread::sleep(BUSY);
        sender.send_to(b"junk of a socket", &path).unwrap();
    }
    let mut lines = 0;
    while lines < 10 {
        let batch = until(&mut incoming, |batch| batch.log == 1);
        assert_eq!(batch.lost, 0);
        lines += batch.lines;
    }
}

#[test]
fn the_lines_of_a_log_stay_in_order() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("log");
    let mut incoming = start(&[combined(path.clone())]).unwrap();
    until(&mut incoming, |batch| batch.state == State::Waiting);
    let line = |byte: usize| {
        format!(
            "192.0.2.7 - - [22/Nov/2026:20:50:19 +0000] \"GET / HTTP/1.1\" 200 {byte} \"-\" \"-\"\n"
        )
    };
    fs::write(&path, (0..5000).map(line).collect::<String>()).unwrap();
    let mut bytes = Vec::new();
    while bytes.len() < 5000 {
        bytes.extend(next(&mut incoming).requests.iter().map(|request| request.bytes));
    }
    assert_eq!(bytes, (0..5000).collect::<Vec<u64>>());
}

#[test]
fn a_socket_goes_with_the_daemon_if_it_is_still_its_own() {
    let dir = TempDir::new().unwrap();
    let (mine, taken) = (dir.path().join("mine"), dir.path().join("taken"));
    let mut incoming = start(&[socket(&mine), socket(&taken)]).unwrap();
    // Whichever is first.
    let first = until(&mut incoming, |batch| batch.state == State::Reading);
    until(&mut incoming, |batch| batch.log != first.log && batch.state == State::Reading);
    fs::remove_file(&taken).unwrap();
    let _other = UnixDatagram::bind(&taken).unwrap();
    drop(incoming);
    assert!(!mine.exists() && taken.exists());
}
